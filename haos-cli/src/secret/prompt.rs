//! Questions on the terminal.

use std::io::{self, IsTerminal as _};

use haos_store::Secret;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::notice::{ask, is_terminal};

/// Tells if somebody is there to answer: input comes from a terminal, and questions go to one.
pub fn is_possible() -> bool {
    io::stdin().is_terminal() && is_terminal()
}

/// Asks for a passphrase, which does not show.
pub(crate) fn passphrase(question: &str) -> Result<Secret> {
    Ok(Secret::passphrase(hidden(question, "passphrase")?.as_str()))
}

/// Asks for a secret, which does not show.
pub fn hidden(question: &str, what: &str) -> Result<Zeroizing<String>> {
    let asked = ask(question).and_then(|terminal| terminal.read_secure_line());
    let words = asked.map_err(|e| Error::Failed(format!("the terminal cannot be asked: {e}")))?;
    if words.is_empty() {
        return Err(Error::Input(format!("no {what} was typed: nothing was done")));
    }
    Ok(Zeroizing::new(words))
}

/// Asks for a word that may be seen.
pub(crate) fn word(question: &str) -> Result<String> {
    let asked = ask(question).and_then(|terminal| terminal.read_line());
    let word = asked.map_err(|e| Error::Failed(format!("the terminal cannot be asked: {e}")))?;
    match word.trim() {
        "" => Err(Error::Input("nothing was typed: nothing was done".to_owned())),
        word => Ok(word.to_owned()),
    }
}

/// Asks for a new passphrase, twice.
pub(crate) fn new_passphrase(instead: &str) -> Result<Secret> {
    Ok(Secret::passphrase(new_words(instead)?.as_str()))
}

/// Asks for the words of a new passphrase, twice.
pub(crate) fn new_words(instead: &str) -> Result<Zeroizing<String>> {
    if !is_possible() {
        return Err(Error::Usage(format!("there is no terminal to ask for the new passphrase: {instead}")));
    }
    let words = hidden("New passphrase:", "passphrase")?;
    if hidden("Once more:", "passphrase")? != words {
        return Err(Error::Input("the two differ: nothing was done, start again".to_owned()));
    }
    Ok(words)
}

/// Asks whether something is meant.
pub(crate) fn confirm(question: &str) -> Result<()> {
    if !is_possible() {
        return Err(Error::Usage("there is no terminal to confirm this on: add --yes".to_owned()));
    }
    let asked = ask(&format!("{question} [y/N]")).and_then(|terminal| terminal.read_line());
    let answer = asked.map_err(|e| Error::Failed(format!("the terminal cannot be asked: {e}")))?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Error::Input("not confirmed: nothing was done".to_owned())),
    }
}
