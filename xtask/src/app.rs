//! The application of `js/apps/pwa`, served for a person to try.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use crate::cmd::Cmd;
use crate::need::Need;
use crate::{Result, js, size};

/// Builds it, and serves it beside the model homeserver or a Synapse, until it is ended.
pub(crate) fn run(root: &Path, port: u16, synapse: bool) -> Result {
    let mut needs = size::NEEDS.to_vec();
    needs.extend(synapse.then_some(Need::Synapse));
    Need::meet_all(needs)?;
    let mut commands = js::build(root, Cmd::cargo("run -p haos-pack"));
    commands.push(js::npm("build:apps"));
    for command in commands {
        println!("$ {command}");
        if !command.run(root) {
            return Err("the application was not built: what is wrong is above".into());
        }
    }
    let port = port.to_string();
    let mut args = vec!["js/apps/pwa/demo/serve.mjs", "--port", &port];
    // It ends with this process, whose end closes its input.
    let (_homeserver, address);
    if synapse {
        (_homeserver, address) = homeserver(root)?;
        args.extend(["--server", &address]);
    }
    if Cmd::new("node", &args).run(root) {
        Ok(())
    } else {
        Err("the application is not served any more".into())
    }
}

/// Starts a Synapse with users and a room; the process, and its address.
fn homeserver(root: &Path) -> Result<(Child, String)> {
    let mut command = Cmd::cargo("run --quiet -p haos-e2e --bin haos-e2e-homeserver").command();
    // What ends this process by the keyboard does not end it before it has put its folder away.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let started = command.current_dir(root).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = started.map_err(|e| format!("the homeserver did not start: {e}"))?;
    let mut line = String::new();
    let told = child.stdout.take().map(|out| BufReader::new(out).read_line(&mut line));
    match told {
        Some(Ok(read)) if read > 0 => Ok((child, line.trim().to_owned())),
        _ => Err("the homeserver ended at once: what is wrong is above".into()),
    }
}
