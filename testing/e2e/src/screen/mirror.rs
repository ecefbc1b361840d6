use haos::Diffs;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A list that is kept by the steps alone that follow it. It ends when this is dropped.
pub(super) struct Mirror<T> {
    shown: watch::Receiver<Shown<T>>,
    following: JoinHandle<()>,
}

struct Shown<T> {
    items: Vec<T>,
    /// A step that did not fit, or a reading that failed.
    fault: Option<String>,
}

impl<T: Clone + Send + Sync + 'static> Mirror<T> {
    /// `look` tells what is wrong with the items between two steps' batches.
    pub(super) fn new(
        items: Vec<T>,
        mut diffs: Diffs<T>,
        mut look: impl FnMut(&[T]) -> Option<String> + Send + 'static,
    ) -> Self
    where
        Diffs<T>: Send,
    {
        let (tell, shown) = watch::channel(Shown { items, fault: None });
        let following = tokio::spawn(async move {
            loop {
                let steps = match diffs.next().await {
                    Ok(Some(steps)) => steps,
                    Ok(None) => return,
                    Err(e) => {
                        tell.send_modify(|shown| shown.fault = Some(e.to_string()));
                        continue;
                    }
                };
                tell.send_modify(|shown| {
                    for step in steps {
                        if let Err(e) = step.apply(&mut shown.items) {
                            shown.fault = Some(e.to_string());
                        }
                    }
                    if let Some(wrong) = look(&shown.items) {
                        shown.fault = Some(wrong);
                    }
                });
            }
        });
        Self { shown, following }
    }

    /// The items now.
    pub(super) fn items(&self) -> Vec<T> {
        self.shown.borrow().items.clone()
    }

    /// What went wrong, if anything did.
    pub(super) fn fault(&self) -> Option<String> {
        self.shown.borrow().fault.clone()
    }

    /// Gives word of every change.
    pub(super) fn changes(&self) -> Changes<T> {
        Changes(self.shown.clone())
    }
}

impl<T> Drop for Mirror<T> {
    fn drop(&mut self) {
        self.following.abort();
    }
}

/// The changes of a mirror.
pub(super) struct Changes<T>(watch::Receiver<Shown<T>>);

impl<T> Changes<T> {
    /// Waits until the items are as they are wanted; for ever once the list has ended.
    pub(super) async fn until(&mut self, wanted: impl Fn(&[T]) -> bool) {
        if self.0.wait_for(|shown| wanted(&shown.items)).await.is_err() {
            std::future::pending().await
        }
    }
}
