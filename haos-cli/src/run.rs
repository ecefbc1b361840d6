//! From a command line to an exit code.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};
use crate::error::{Error, Result};
use crate::open::Target;
use crate::out::Out;
use crate::{
    archive, chat, compact, doctor, export, import, keys, notice, private, rooms, show, timeline, views,
};

/// Runs `haos` with these arguments; the first one is the name of the program.
pub fn haos(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    command(args, |cli: &Cli| cli.json, run)
}

/// Runs a program with the command line `C`: what it makes is readable for its owner alone, and what goes wrong is
/// told. `json`: whether it prints for programs.
pub fn command<C: Parser>(
    args: impl IntoIterator<Item = OsString>,
    json: impl FnOnce(&C) -> bool,
    run: impl AsyncFnOnce(C, &mut Out) -> Result<()>,
) -> ExitCode {
    private::mask();
    notice::tell_panics();
    let cli = match C::try_parse_from(args) {
        Ok(cli) => cli,
        Err(found) => return notice::usage(found),
    };
    let mut out = Out::new(json(&cli));
    let done = runtime().and_then(|runtime| runtime.block_on(run(cli, &mut out)));
    // Output from before an error is still printed.
    match done.and(out.flush().map_err(Error::from)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            let _ = out.flush();
            notice::notice(&format!("error: {}", error.explain()));
            ExitCode::from(error.code())
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|e| Error::Failed(format!("the runtime cannot be started: {e}")))
}

async fn run(cli: Cli, out: &mut Out) -> Result<()> {
    let store = Target::new(cli.store, &cli.keys)?;
    match &cli.command {
        Command::Import(args) => import::run(&store, args, out).await,
        Command::Rooms(args) => rooms::run(&store, args, out).await,
        Command::Timeline(args) => timeline::run(&store, args, out).await,
        Command::Show(args) => show::run(&store, args, out).await,
        Command::Login(args) => chat::login(&store, args, out).await,
        Command::Logout(args) => chat::logout(&store, args, out).await,
        Command::Sync(args) => chat::sync(&store, args, out).await,
        Command::Send(args) => chat::send(&store, args, out).await,
        Command::Reply(args) => chat::reply(&store, args, out).await,
        Command::Edit(args) => chat::edit(&store, args, out).await,
        Command::React(args) => chat::react(&store, args, out).await,
        Command::Redact(args) => chat::redact(&store, args, out).await,
        Command::SendFile(args) => chat::send_file(&store, args, out).await,
        Command::Outbox(args) => chat::outbox(&store, args, out).await,
        Command::Read(args) => chat::read(&store, args, out).await,
        Command::Backfill(args) => chat::backfill(&store, args, out).await,
        Command::Join(args) => chat::join(&store, args, out).await,
        Command::Leave(args) => chat::leave(&store, args, out).await,
        Command::Members(args) => chat::members(&store, args, out).await,
        #[cfg(feature = "e2ee")]
        Command::Devices(args) => chat::devices(&store, args, out).await,
        Command::Media(args) => chat::media(&store, args, out).await,
        Command::Doctor(args) => doctor::run(&store, args, out).await,
        Command::Backup(args) => archive::backup(&store, args, out).await,
        Command::Restore(args) => archive::restore(&store, args, out).await,
        Command::Move(args) => archive::move_store(&store, args, out).await,
        Command::Export(args) => export::run(&store, args, out).await,
        Command::Compact => compact::run(&store, out).await,
        Command::Views => views::run(store, out).await,
        Command::Seal(args) => keys::seal(store, args, out).await,
        Command::Unseal(args) => keys::unseal(store, args, out).await,
        Command::Rekey(args) => keys::rekey(store, args, out).await,
        Command::Rotate(args) => keys::rotate(store, args, out).await,
        Command::Shred(args) => keys::shred(store, args, out).await,
    }
}
