/** What globalSetup has put into the environment under this name. */
export function fromSetup(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: globalSetup sets it, for tests outside of test/unit only`);
  return value;
}
