// The glue of the engine for service workers: the addresses of both halves are to be given.

export { default, loadRest, Port } from "./haos_client_web.js";
