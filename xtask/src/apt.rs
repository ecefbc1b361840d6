use crate::Result;
use crate::cmd::Cmd;

/// The commands that install packages (words) of Debian and its descendants; elsewhere the error names `what`.
pub(crate) fn install(packages: &str, what: &str) -> Result<Vec<Cmd>> {
    if !Cmd::new("apt-get", &["--version"]).works() {
        return Err(format!("install {what}: there is no apt-get to do it"));
    }
    let root = Cmd::new("id", &["-u"]).output().is_some_and(|id| id == "0");
    Ok(commands(packages, root))
}

fn commands(packages: &str, root: bool) -> Vec<Cmd> {
    // The lists first: a container comes without them.
    let lines = ["update", &format!("install -y --no-install-recommends {packages}")].map(|line| {
        let program = if root { "apt-get" } else { "sudo apt-get" };
        format!("{program} {line}")
    });
    let words = lines.iter().map(|line| line.split(' ').collect::<Vec<_>>());
    words.map(|words| Cmd::new(words[0], &words[1..])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_needs_no_sudo() {
        let printed = |root| commands("p q", root).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(printed(true), ["apt-get update", "apt-get install -y --no-install-recommends p q"]);
        assert_eq!(printed(false)[1], "sudo apt-get install -y --no-install-recommends p q");
    }
}
