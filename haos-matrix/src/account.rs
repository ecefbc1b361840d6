use haos_store_api::UserId;

use crate::AnswerLimits;

/// Whose answers are read, and how much of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// The own user. Without it a ban reads as a leave: the member event that tells them apart is not known.
    pub user: Option<UserId>,
    /// How much of one answer is read.
    pub limits: AnswerLimits,
}

impl Account {
    /// The account of `user`.
    pub fn of(user: UserId) -> Self {
        Self { user: Some(user), limits: AnswerLimits::default() }
    }

    pub(crate) fn is(&self, user: &str) -> bool {
        self.user.as_ref().is_some_and(|own| own.as_str() == user)
    }
}
