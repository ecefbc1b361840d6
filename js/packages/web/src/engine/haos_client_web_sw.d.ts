// The glue of the engine for service workers: the addresses of all its parts are to be given.

export { default, loadKeys, loadRest, Port } from "./haos_client_web.js";
