/**
 * Loaded by `node --require` into the workers, before their own code and in the thread of the workflows too. The SDK
 * writes down a stack for each promise that a workflow makes, for the web UI's tab "Call Stack" alone, which takes more
 * than half of that thread's time (https://github.com/temporalio/sdk-typescript/issues/1587). It goes without where
 * Node refuses it the hook. Its hook is the one without `before` and `after`: AsyncLocalStorage has them. The stacks of
 * errors are not touched.
 */
import v8 from 'node:v8';

if (process.env['HAILWAY_WORKFLOW_STACKS'] !== 'yes') {
  const { createHook } = v8.promiseHooks;
  v8.promiseHooks.createHook = (hooks) => {
    if (!('before' in hooks) && !('after' in hooks)) throw new Error('no stacks of promises');
    return createHook(hooks);
  };
}
