// A page: a test calls these functions.
import init, { Context, Store } from './pkg/haos_e2e_web.js';
import { commands } from './context.js';
import { pause, post } from './request.js';

Object.assign(self, { Context, Store, commands, pause, post });

// Resolves once the module runs.
self.ready = init();

// Asks the service worker, which is made and woken up if need be. One that is just being stopped takes messages
// and never reads them: what may be asked twice is.
self.worker = async (command, args) => {
  await navigator.serviceWorker.register('worker.js', { type: 'module' });
  const again = ['start', 'role'].includes(command);
  for (;;) {
    const { active } = await navigator.serviceWorker.ready;
    const { port1, port2 } = new MessageChannel();
    const answered = new Promise((resolve) => { port1.onmessage = ({ data }) => resolve(data); });
    active.postMessage({ command, args }, [port2]);
    const answer = await Promise.race([answered, ...(again ? [pause(2000)] : [])]);
    if (answer?.error) throw new Error(answer.error);
    if (answer) return answer.value;
    await post('/unanswered', command);
  }
};

// Commits one number after the other, and tells of each before it begins the next.
self.commits = async (store, from) => {
  for (let n = from; ; n += 1) {
    const revision = await store.commit(n);
    await post('/committed', { n, revision });
    if (n % 12 === 0) {
      store.compact().then(() => post('/compacted', n), (error) => post('/failed', `compaction: ${error}`));
    }
  }
};
