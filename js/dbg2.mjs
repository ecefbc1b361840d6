import { Browser } from './test/browser.mjs';
import { serve } from './packages/testing/dist/node.js';
import { Homeserver } from './packages/testing/dist/index.js';
const homeserver = new Homeserver();
homeserver.room('!l:haos.test', {name:'l', members:['ada','bob']}); homeserver.say('!l:haos.test','bob','hi');
const h=homeserver.handle.bind(homeserver);
homeserver.handle = async (r)=>{ const t=r.method+' '+new URL(r.url).pathname; try { const x=await h(r); if(!t.includes('sync')) console.log(t, x.status, x.status>300? await x.clone().text():''); return x;} catch(e){ console.log(t, String(e)); throw e;} };
const matrix = await serve({ homeserver });
const site = await serve({ folders: { '/': '/work/main/js' } });
const b = await Browser.start('chromium');
await b.first.goto(site.url + '/test/pages/blank.html');
console.log(await b.first.run(`
 const { open } = await import('@haos/web');
 const out=[]; const t0=performance.now();
 const say=(x)=>out.push(Math.round(performance.now()-t0)+' '+x);
 const t = (p,n) => Promise.race([p, new Promise(r=>setTimeout(()=>r('timeout'),n??5000))]).catch(e=>'ERR '+e+' '+e.code);
 addEventListener('error', e=>say('error '+e.message+' '+e.error?.stack)); addEventListener('unhandledrejection', e=>say('unhandled '+e.reason?.stack)); const chat = await t(open({name:'dbg2', thread: 'here'}));
 await t(chat.login(args[0],{user:'ada',password:'x'}));
 const file = new File([new Uint8Array(300000).fill(7)], 'seven.bin', { type: 'application/octet-stream' });
 const up = await t(chat.sendFile('!l:haos.test', file, {caption:'c'}), 10000);
 say(JSON.stringify(up));
 const p = up.progress?.();
 for (let i=0;i<10;i++) { await new Promise(r=>setTimeout(r,500)); say(JSON.stringify([p?.value, p?.error?.message])); }
 say(JSON.stringify(await t(chat.close())));
 return out;
`, matrix.url));
await b.close(); await site.close(); await matrix.close();
