use std::path::{Component, Path, PathBuf};

use super::SiteAnswer;

/// A folder below a prefix of the paths.
#[derive(Debug, Clone)]
pub(in crate::browser) struct Mount {
    pub(in crate::browser) prefix: String,
    pub(in crate::browser) folder: PathBuf,
}

/// The file at a path; `index.html` for a folder's; `None` if it is absent.
pub(super) async fn read(mounts: &[Mount], path: &str) -> Option<SiteAnswer> {
    let file = find(mounts, path)?;
    let read = tokio::task::spawn_blocking(move || std::fs::read(&file).map(|bytes| (kind(&file), bytes)));
    let (kind, bytes) = read.await.ok()?.ok()?;
    Some(SiteAnswer::new(kind, bytes))
}

fn find(mounts: &[Mount], path: &str) -> Option<PathBuf> {
    let mount = mounts.iter().find(|mount| path.starts_with(&mount.prefix))?;
    let rest = Path::new(&path[mount.prefix.len()..]);
    // Nothing outside of the folder.
    if rest.components().any(|part| !matches!(part, Component::Normal(_))) {
        return None;
    }
    let file = mount.folder.join(rest);
    Some(if path.ends_with('/') { file.join("index.html") } else { file })
}

/// Browsers refuse modules and wasm under a wrong type.
fn kind(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_in_their_folder() {
        let mount = |prefix: &str, folder: &str| Mount { prefix: prefix.into(), folder: folder.into() };
        let mounts = [mount("/pkg/", "p"), mount("/", "r")];
        let found = |path| find(&mounts, path);
        assert_eq!(found("/a/b.js"), Some("r/a/b.js".into()));
        assert_eq!(found("/pkg/b.wasm"), Some("p/b.wasm".into()));
        assert_eq!(found("/"), Some("r/index.html".into()));
        assert_eq!(found("/pkg/../../etc/passwd"), None);
        assert_eq!(found("//etc/passwd"), None);
        assert_eq!(kind(Path::new("x.wasm")), "application/wasm");
    }
}
