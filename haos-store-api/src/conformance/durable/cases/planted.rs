//! A store from a folder that somebody else packed: links in the places of the store's own files.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;
use crate::conformance::durable::Layout;
use crate::files::{StoreId, beside};

/// Names beside a store that earlier versions used, or that are taken only if they are free.
const FREE: [&str; 6] = [".leader", ".mended", ".fresh", ".converting", ".converted", ".damaged-1"];
/// Further ones, of a store that is a file.
const FREE_OF_FILES: [&str; 3] = [".fresh-wal", ".converting-wal", ".converting-journal"];

/// An act on a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Open,
    Salvage,
    Seal,
    Unseal,
    Rekey,
    Shred,
}

const ACTS: [Act; 6] = [Act::Open, Act::Salvage, Act::Seal, Act::Unseal, Act::Rekey, Act::Shred];

impl Act {
    fn is_offered(self, harness: &Durable) -> bool {
        match self {
            Self::Open => true,
            Self::Salvage => harness.damages().is_some(),
            _ => harness.sealing().is_some(),
        }
    }

    async fn prepare(self, harness: &Durable, path: &Path) -> Outcome {
        let is_sealed = matches!(self, Self::Unseal | Self::Rekey | Self::Shred);
        let store = harness.open(if is_sealed { sealed(path) } else { Opening::at(path) }).await?;
        store.apply(sample_with(100)).await?;
        store.close().await?;
        if let (Self::Salvage, Some(damages)) = (self, harness.damages()) {
            damages.spoil(path);
        }
        Ok(())
    }

    async fn run(self, harness: &Durable, path: &Path) -> Result<()> {
        let sealed = sealed(path).busy_ms(100);
        let change = match (self, harness.sealing()) {
            (Self::Seal, Some(sealing)) => return sealing.seal(sealed, Progress::none()).await.map(drop),
            (Self::Unseal, Some(sealing)) => return sealing.unseal(sealed, Progress::none()).await.map(drop),
            (Self::Rekey, _) => KeyChange::AddKey("other".to_owned(), Secret::key([6; 32])),
            (Self::Shred, _) => KeyChange::Shred,
            _ => {
                let store = harness.open(Opening::at(path).busy_ms(100)).await?;
                store.apply(put("new")).await?;
                store.close().await?;
                return match store.info().recovery.is_some() == (self == Self::Salvage) {
                    true => Ok(()),
                    false => Err(Error::new(ErrorKind::Invalid, "test", "it recovers if it has to")),
                };
            }
        };
        let store = harness.open(sealed).await?;
        let done = store.change_keys(change).await;
        store.close().await?;
        done
    }
}

/// A folder for a store and one for the links' targets, on the same file system.
struct Scene {
    root: PathBuf,
    store: PathBuf,
    elsewhere: PathBuf,
}

impl Scene {
    fn new(harness: &Durable) -> Result<Self, Failure> {
        let root = harness.folder().join(crate::files::random_name()?);
        let (packed, elsewhere) = (root.join("packed"), root.join("elsewhere"));
        fs::create_dir_all(&packed)?;
        fs::create_dir_all(&elsewhere)?;
        Ok(Self { store: packed.join(harness.layout().name), elsewhere, root })
    }

    fn clear(self) -> Outcome {
        Ok(fs::remove_dir_all(self.root)?)
    }

    /// Returns the place with this ending; for `*`, the first such file there.
    fn place(&self, ending: &str) -> PathBuf {
        let Some(start) = ending.strip_suffix('*') else { return beside(&self.store, ending) };
        let start = beside(&self.store, start);
        let entries = start.parent().and_then(|folder| fs::read_dir(folder).ok());
        let mut paths = entries.into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
        let begins = |path: &PathBuf| {
            path.as_os_str().as_encoded_bytes().starts_with(start.as_os_str().as_encoded_bytes())
        };
        paths.find(begins).unwrap_or_else(|| beside(&start, "0000000000000000"))
    }

    /// Replaces the place by a link. The former entry moves elsewhere, so that a reader who follows the link finds the
    /// expected content; else the link leads to a file, a folder or nothing.
    fn plant(&self, place: &Path, target: &str) -> Outcome {
        let victim = self.elsewhere.join(target);
        if fs::rename(place, &victim).is_err() {
            match target {
                "file" => fs::write(&victim, "untouched")?,
                "folder" => {
                    fs::create_dir(&victim)?;
                    fs::write(victim.join("in it"), "untouched")?;
                }
                _ => {}
            }
        }
        Ok(symlink(&victim, place)?)
    }

    /// Lists paths, modes and bytes of all entries elsewhere.
    fn state(&self) -> Result<Vec<(PathBuf, u32, Vec<u8>)>, Failure> {
        let (mut found, mut folders) = (Vec::new(), vec![self.elsewhere.clone()]);
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                let about = path.symlink_metadata()?;
                let bytes = if about.is_file() { fs::read(&path)? } else { Vec::new() };
                found.push((path.clone(), about.permissions().mode(), bytes));
                folders.extend(about.is_dir().then_some(path));
            }
        }
        found.sort();
        Ok(found)
    }
}

fn all_fixed(layout: &Layout) -> impl Iterator<Item = &'static str> + use<> {
    layout.fixed.iter().chain(layout.fixed_in_salvage).copied()
}

/// A planted link, the act that follows, and the link's target.
#[derive(Debug, Clone, Copy)]
struct Plant {
    ending: &'static str,
    act: Act,
    target: &'static str,
}

impl Plant {
    /// Pairs every act with every link of this name.
    fn all(harness: &Durable, ending: &'static str) -> Vec<Self> {
        let targets: &[_] = match harness.layout().is_folder {
            // Everything in the folder is treated alike, and nothing beside it.
            true if ending.starts_with('/') => &["file"],
            true => &["folder"],
            false => &["file", "folder", "nothing"],
        };
        let acts = ACTS.into_iter().filter(|act| act.is_offered(harness));
        acts.flat_map(|act| targets.iter().map(move |target| Self { ending, act, target })).collect()
    }

    /// Plants the link and does the act, which touches no target of the link.
    async fn run(self, harness: &Durable) -> Result<Result<()>, Failure> {
        let scene = Scene::new(harness)?;
        self.act.prepare(harness, &scene.store).await?;
        let place = scene.place(self.ending);
        scene.plant(&place, self.target)?;
        let before = scene.state()?;
        let done = self.act.run(harness, &scene.store).await;
        holds(scene.state()? == before, "what the link leads to is untouched")?;
        holds(place.is_symlink(), "the link is left as it is")?;
        scene.clear()?;
        Ok(done)
    }

    async fn is_refused(self, harness: &Durable) -> Outcome {
        let done = self.run(harness).await?;
        if self.act != Act::Salvage && !harness.layout().fixed.contains(&self.ending) {
            return Ok(done?);
        }
        let Err(error) = done else { return Err(Failure::new("the link is followed")) };
        same(error.kind(), ErrorKind::Invalid)?;
        let (text, name) = (error.to_string(), self.ending.trim_end_matches('*'));
        let says = text.contains("symbolic link") && text.contains("remove") && text.contains(name);
        holds(says, &format!("{text} says what to remove"))
    }
}

pub(crate) async fn a_link_in_the_place_of_a_fixed_name_is_refused(harness: &Durable) -> Outcome {
    for ending in all_fixed(&harness.layout()) {
        for plant in Plant::all(harness, ending) {
            plant.is_refused(harness).await.map_err(|f| f.within(format_args!("{plant:?}")))?;
        }
    }
    Ok(())
}

pub(crate) async fn a_link_of_any_other_name_is_left_alone(harness: &Durable) -> Outcome {
    let of_files = FREE_OF_FILES.into_iter().filter(|_| !harness.layout().is_folder);
    for ending in FREE.into_iter().chain(of_files) {
        for plant in Plant::all(harness, ending) {
            let done = plant.run(harness).await.and_then(|done| Ok(done?));
            done.map_err(|f| f.within(format_args!("{plant:?}")))?;
        }
    }
    Ok(())
}

/// Entries other than links are refused too.
pub(crate) async fn pipes_and_folders_are_refused_at_once(harness: &Durable) -> Outcome {
    let act = if Act::Salvage.is_offered(harness) { Act::Salvage } else { Act::Open };
    for ending in all_fixed(&harness.layout()) {
        // Within a folder some are folders.
        for is_pipe in [true, false].into_iter().filter(|is_pipe| *is_pipe || !harness.layout().is_folder) {
            let scene = Scene::new(harness)?;
            act.prepare(harness, &scene.store).await?;
            let place = scene.place(ending);
            let _ = fs::rename(&place, scene.elsewhere.join("moved"));
            if is_pipe {
                let made = std::process::Command::new("mkfifo").arg(&place).status()?;
                holds(made.success(), "a pipe can be made")?;
            } else {
                fs::create_dir(&place)?;
            }
            let done = fails(act.run(harness, &scene.store).await, ErrorKind::Invalid);
            done.map_err(|f| f.within(format_args!("{}, {is_pipe}", ending)))?;
            scene.clear()?;
        }
    }
    Ok(())
}

/// Every entry of a folder has a name that is planted above, or one that nobody can foresee.
fn all_is_known(folder: &Path, layout: &Layout) -> Outcome {
    let store = folder.join(layout.name);
    let is_fixed = |path: &Path| {
        let ending = path.as_os_str().as_encoded_bytes().strip_prefix(store.as_os_str().as_encoded_bytes());
        ending.is_some_and(|ending| {
            let mut fixed = all_fixed(layout).map(str::as_bytes);
            fixed.any(|fixed| match fixed.strip_suffix(b"*") {
                Some(start) => ending.starts_with(start),
                None => ending == fixed,
            })
        })
    };
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for name in names(&folder)? {
            let path = folder.join(&name);
            if path == store || is_fixed(&path) {
                folders.extend(path.is_dir().then_some(path));
                continue;
            }
            let is_random = name.rsplit('.').next().is_some_and(|end| end.parse::<StoreId>().is_ok());
            holds(is_random || path == beside(&store, ".damaged-1"), &format!("{name} is foreseen"))?;
        }
    }
    Ok(())
}

pub(crate) async fn nothing_else_is_made(harness: &Durable) -> Outcome {
    let (path, layout, folder) = (place(harness), harness.layout(), harness.folder());
    let store = open(harness, &path).await?;
    store.apply(sample()).await?;
    all_is_known(folder, &layout)?;
    store.close().await?;
    if let Some(sealing) = harness.sealing() {
        let looks = Looks::default();
        let watch = || {
            let folder = folder.to_owned();
            looks.at_each_step(move || all_is_known(&folder, &layout))
        };
        sealing.seal(sealed(&path), watch()).await?;
        all_is_known(folder, &layout)?;
        sealing.unseal(sealed(&path), watch()).await?;
        looks.outcome()?;
    }
    if let Some(damages) = harness.damages() {
        damages.spoil(&path);
        Act::Salvage.run(harness, &path).await?;
    }
    all_is_known(folder, &layout)
}
