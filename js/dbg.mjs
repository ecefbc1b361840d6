import { Browser } from './test/browser.mjs';
import { serve } from './packages/testing/dist/node.js';
import { Homeserver } from './packages/testing/dist/index.js';
const homeserver = new Homeserver();
homeserver.room('!l:haos.test', {name:'l', members:['ada','bob']}); homeserver.say('!l:haos.test','bob','hi');
const h=homeserver.handle.bind(homeserver);
const matrix = await serve({ homeserver });
const site = await serve({ folders: { '/': '/work/main/js' } });
const b = await Browser.start('chromium');
await b.first.goto(site.url + '/test/pages/blank.html');
console.log(await b.first.run(`
 const { open } = await import('@haos/web');
 const { openInMemory, Homeserver, install } = await import('@haos/testing');
 const out=[]; const t0=performance.now();
 const say=(x)=>out.push(Math.round(performance.now()-t0)+' '+x);
 const t = (p) => Promise.race([p, new Promise(r=>setTimeout(()=>r('timeout'),5000))]).catch(e=>'ERR '+e+' '+e.code);
 addEventListener('error', e=>say('error '+e.message)); addEventListener('unhandledrejection', e=>say('unhandled '+e.reason));
 for (const how of ['here','worker','memory']) {
  say(how);
  let url=args[0];
  let chat;
  if (how==='memory') { const s=new Homeserver(); s.room('!l:haos.test', {members:['ada','bob']}); s.say('!l:haos.test','bob','hi'); install(s); url='https://haos.test'; chat = await t(openInMemory()); }
  else chat = await t(open({name:'dbg'+how, thread: how}));
  say('opened '+chat);
  if (chat==='timeout'||typeof chat==='string') continue;
  say(JSON.stringify(await t(chat.account())));
  say(JSON.stringify(await t(chat.login(url,{user:'ada',password:'x'}))));
  const tl = chat.timeline('!l:haos.test');
  say(JSON.stringify((await t(tl.ready)).length));
  const c = chat.connection();
  for (let i=0;i<6;i++) { await new Promise(r=>setTimeout(r,400)); say(JSON.stringify([c.value?.state, tl.value?.length])); }
  say(JSON.stringify(await t(chat.close())));
 }
 return out;
`, matrix.url));
await b.close(); await site.close(); await matrix.close();
