/** Solves the normal equations by elimination: a few dozen unknowns. */
export function leastSquares(rows: readonly number[][], values: readonly number[]): number[] {
  const size = rows[0]!.length;
  const system = Array.from({ length: size }, (_, i) =>
    Array.from({ length: size + 1 }, (_unused, j) =>
      rows.reduce((sum, row, k) => sum + row[i]! * (j < size ? row[j]! : values[k]!), 0),
    ),
  );
  for (let i = 0; i < size; i += 1) {
    const pivot = system[i]!;
    const divisor = pivot[i]!;
    for (let j = 0; j <= size; j += 1) pivot[j]! /= divisor;
    for (const row of system) {
      const factor = row[i]!;
      if (row === pivot || factor === 0) continue;
      for (let j = 0; j <= size; j += 1) row[j]! -= factor * pivot[j]!;
    }
  }
  return system.map((row) => row[size]!);
}
