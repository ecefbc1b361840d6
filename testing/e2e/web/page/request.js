// What the WebAssembly module asks its page for: a request of the site, and `[status, text]` of its answer.
self.request = async (method, path, body) => {
  const answer = await fetch(path, method === 'GET' ? {} : { method, body });
  return [answer.status, await answer.text()];
};
export const post = (path, value) => self.request('POST', path, JSON.stringify(value));
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
