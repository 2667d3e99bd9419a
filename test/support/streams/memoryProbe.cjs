/** `node --expose-gc -r memoryProbe.cjs some/main.ts`: answers its parent's 'memory' with what the process holds. */
process.on('message', (message) => {
  if (message !== 'memory') return;
  globalThis.gc();
  globalThis.gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  process.send({ rss, heapUsed, external });
});
