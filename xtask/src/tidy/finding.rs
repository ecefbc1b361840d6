use std::fmt;

/// How bad it is; only an error fails the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Warning,
    Error,
}

/// One thing that is not as it should be, and where.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    pub(super) level: Level,
    path: String,
    line: Option<usize>,
    message: String,
}

impl Finding {
    pub(super) fn error(path: &str, message: impl Into<String>) -> Self {
        Self { level: Level::Error, path: path.to_owned(), line: None, message: message.into() }
    }

    pub(super) fn warning(path: &str, message: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::error(path, message) }
    }

    /// `line` counts from 1.
    pub(super) fn at(mut self, line: usize) -> Self {
        self.line = Some(line);
        self
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            Level::Warning => write!(f, "warning: {}", self.path)?,
            Level::Error => write!(f, "error: {}", self.path)?,
        }
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.message)
    }
}
