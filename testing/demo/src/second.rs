//! Everything a second time: applying anything twice changes nothing.

use haos_cli::parts::{Error, Result};

use super::child::{self, Ended, Kill, Told};
use super::steps::Demo;
use super::verify;

pub(super) async fn run(demo: &mut Demo<'_, '_>) -> Result<()> {
    let store = demo.open().await?;
    let before = verify::digest(&*store).await?;
    let revision = store.changes().start();
    store.close().await?;

    let plain = import(demo, &[])?;
    let store = demo.open().await?;
    if plain.responses != 0 || store.changes().start() != revision {
        return Err(Error::Failed("WRONG: files that are done were applied again".to_owned()));
    }
    store.close().await?;
    demo.story.say(format_args!(
        "   the same imports: {} responses known as done, none applied, revision {revision} as before",
        plain.skipped
    ))?;

    let again = import(demo, &["--again"])?;
    let store = demo.open().await?;
    let same = verify::digest(&*store).await? == before;
    store.close().await?;
    if again.events + again.gaps_opened + again.gaps_closed > 0 || !same {
        return Err(Error::Failed(format!(
            "WRONG: applying everything again brought {} events, {} gaps opened, {} closed; contents {}",
            again.events,
            again.gaps_opened,
            again.gaps_closed,
            if same { "the same" } else { "changed" }
        )));
    }
    demo.story.say(format_args!(
        "   with --again: {} responses applied again, 0 new events, 0 gaps; the hash over all that is stored is \
         the same",
        again.responses
    ))
}

fn import(demo: &Demo<'_, '_>, flags: &[&str]) -> Result<Told> {
    let mut total = Told::default();
    for file in [&demo.captures.initial, &demo.captures.pages, &demo.captures.syncs] {
        let flags: Vec<&str> = flags.iter().copied().chain(["--quiet"]).collect();
        if let Ended::Done(told) = child::import(&demo.store, file, &flags, &Kill::Never)? {
            total.responses += told.responses;
            total.skipped += told.skipped;
            total.events += told.events;
            total.gaps_opened += told.gaps_opened;
            total.gaps_closed += told.gaps_closed;
        }
    }
    Ok(total)
}
