/**
 * Versions of the parts that the embedded stack provides, in one place; docker-compose.yml is held to the same ones
 * by a test. `atLeast` is what is taken when it is found on the PATH or at an address.
 */
export const versions = {
  postgres: { major: '18', npmPackage: '18.4.0-beta.17', atLeast: '16' },
  kafka: { release: '4.3.0', atLeast: '4.0' },
  temporal: { cli: '1.5.1', server: '1.29.1', ui: '2.42.1', atLeast: '1.29.0' },
  temporalTestServer: { release: '1.38.0' },
  stripeMock: { release: '0.203.0' },
  chromium: { npmPackage: '153.0.0', atLeast: '120' },
  mavenDependencyPlugin: '3.6.1',
  java: { atLeast: '17' },
} as const;

/** Whether a dotted version is the same as or later than another: `isAtLeast('18.4', '16')`. */
export function isAtLeast(version: string, least: string): boolean {
  const a = version.split('.').map(Number);
  const b = least.split('.').map(Number);
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
