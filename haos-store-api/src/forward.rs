//! One way to wrap a store: the list of the contract's methods, and the forwards made of it.

use std::pin::Pin;
use std::sync::Arc;

use crate::StorageAdapter;

/// The answer of an asynchronous method of [`StorageAdapter`]. `Send` natively, not on wasm.
#[cfg(not(target_arch = "wasm32"))]
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
/// The answer of an asynchronous method of [`StorageAdapter`]. `Send` natively, not on wasm.
#[cfg(target_arch = "wasm32")]
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Every method of [`StorageAdapter`], in the order of the trait: `$then! { $args the methods }`.
///
/// It is their only list. A reference has a named lifetime here, because the forwards are written as `async_trait`
/// writes a method, so that they hand on the store's own future and box none of their own. A method that is here and
/// not in the trait, or with other types, does not compile; one that is in the trait and not here fails a test
/// (`the_list_is_the_trait`), and clippy refuses `Arc` below.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_methods {
    ([$($then:tt)+] $args:tt) => {
        $($then)+! {
            $args
            async apply(batch: $crate::WriteBatch) -> $crate::Result<$crate::Commit>;
            async room<'a>(id: &'a $crate::RoomId) -> $crate::Result<Option<$crate::Room>>;
            async rooms(query: $crate::RoomQuery) -> $crate::Result<Vec<$crate::Room>>;
            async message<'a, 'b>(room: &'a $crate::RoomId, event: &'b $crate::EventId)
                -> $crate::Result<Option<$crate::Message>>;
            async timeline<'a>(room: &'a $crate::RoomId, page: $crate::Page) -> $crate::Result<$crate::Slice>;
            async timelines(pages: Vec<($crate::RoomId, $crate::Page)>) -> $crate::Result<Vec<$crate::Slice>>;
            async gaps<'a>(room: &'a $crate::RoomId) -> $crate::Result<Vec<$crate::Gap>>;
            async count<'a, 'b>(room: &'a $crate::RoomId, newer_than: Option<&'b $crate::EventId>)
                -> $crate::Result<u64>;
            async related(query: $crate::RelationQuery) -> $crate::Result<Vec<$crate::Message>>;
            async messages(query: $crate::MessageQuery) -> $crate::Result<Vec<$crate::Message>>;
            async pending(query: $crate::PendingQuery) -> $crate::Result<Vec<$crate::Pending>>;
            async media<'a>(key: &'a $crate::MediaKey, range: $crate::ByteRange)
                -> $crate::Result<Option<$crate::Media>>;
            async media_index(query: $crate::MediaQuery) -> $crate::Result<Vec<$crate::MediaInfo>>;
            async state(query: $crate::StateQuery) -> $crate::Result<Vec<$crate::StateEntry>>;
            async states(queries: Vec<$crate::StateQuery>)
                -> $crate::Result<Vec<Vec<$crate::StateEntry>>>;
            async count_state<'a, 'b>(scope: &'a $crate::Scope, kind: &'b $crate::EventType) -> $crate::Result<u64>;
            async usage() -> $crate::Result<$crate::Usage>;
            async snapshot() -> $crate::Result<::std::sync::Arc<dyn $crate::StorageAdapter>>;
            async maintain(task: $crate::Maintenance, progress: $crate::Progress)
                -> $crate::Result<$crate::Report>;
            async change_keys(change: $crate::KeyChange) -> $crate::Result<()>;
            plain info() -> $crate::StoreInfo;
            plain changes() -> $crate::Changes;
            async suspend() -> $crate::Result<()>;
            async resume() -> $crate::Result<()>;
            async close() -> $crate::Result<()>;
        }
    };
}

/// Forwards, within an `impl StorageAdapter`, every method that the type does not write itself to a store beneath.
///
/// A type that wraps a store, to count, to refuse, to fail on purpose, writes the methods that differ and names them
/// behind `except`. All other methods of the trait, now or later, reach the store beneath: also those with a default.
///
/// ```
/// use async_trait::async_trait;
/// use haos_store_api::{
///     Commit, Error, ErrorKind, Membership, MemoryStore, Result, Room, RoomId, StorageAdapter, WriteBatch,
///     forward_store,
/// };
///
/// /// A store that takes a bounded number of operations at once.
/// #[derive(Debug)]
/// struct Bounded<S> {
///     store: S,
///     most: usize,
/// }
///
/// #[async_trait]
/// impl<S: StorageAdapter> StorageAdapter for Bounded<S> {
///     async fn apply(&self, batch: WriteBatch) -> Result<Commit> {
///         if batch.ops().len() > self.most {
///             return Err(Error::new(ErrorKind::Full, "apply", "too much at once"));
///         }
///         self.store.apply(batch).await
///     }
///
///     forward_store! { self => self.store; except apply }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let store = Bounded { store: MemoryStore::new(), most: 1 };
/// let room = |id| Ok::<_, Error>(Room::new(RoomId::new(id)?, Membership::Join));
///
/// let mut one = WriteBatch::relaxed();
/// one.put_room(room("!lobby")?);
/// store.apply(one).await?;
/// assert!(store.room(&RoomId::new("!lobby")?).await?.is_some(), "read from beneath");
///
/// let mut two = WriteBatch::relaxed();
/// two.put_room(room("!a")?).put_room(room("!b")?);
/// assert_eq!(store.apply(two).await.unwrap_err().kind(), ErrorKind::Full);
/// # Ok(()) }
/// ```
///
/// # Shapes
///
/// - `forward_store! { self => self.store }` forwards everything.
/// - `forward_store! { self => self.store; except apply, close }` leaves those two to the type.
/// - `forward_store! { self => self.store; before enter; except apply }` awaits `self.enter("room")?` before
///   `room` is forwarded, and likewise for each asynchronous method; `info` and `changes` are forwarded as they
///   are. `enter` is a method of the type: `async fn enter(&self, method: &'static str) -> Result<()>`. If it
///   fails, the store beneath is not asked.
///
/// Behind `=>` stands a place whose type is a [`StorageAdapter`]: a field (`self.store`, be it a store, an `Arc` or a
/// `Box`), or the target of a reference (`*self.store()`). `self` is named since a macro cannot know it otherwise.
///
/// The methods that the type writes itself stand under `#[async_trait]`, or `#[async_trait(?Send)]` on wasm, as the
/// trait does; the forwards need neither.
///
/// A method that is both forwarded and written does not compile, nor does an exception that the trait does
/// not have:
///
/// ```compile_fail
/// # #[derive(Debug)] struct Bounded { store: haos_store_api::MemoryStore }
/// impl haos_store_api::StorageAdapter for Bounded {
///     haos_store_api::forward_store! { self => self.store; except aply }
/// }
/// ```
///
/// `Arc<T>` and `Box<T>` are stores by the same list, `dyn StorageAdapter` included.
#[macro_export]
macro_rules! forward_store {
    ($this:ident => $store:expr $(; before $before:ident)?) => {
        $crate::__store_methods! { [$crate::__forward_all] [$this [$store] [$($before)?] []] }
    };
    ($this:ident => $store:expr $(; before $before:ident)?; except $($except:ident),+ $(,)?) => {
        $($crate::__store_method_named! { $except })+
        $crate::__store_methods! { [$crate::__forward_all] [$this [$store] [$($before)?] [$($except)+]] }
    };
}

/// Takes the list apart: one macro call a method, without the exceptions.
#[doc(hidden)]
#[macro_export]
macro_rules! __forward_all {
    ([$this:ident $store:tt $before:tt $except:tt] $(
        $kind:ident $name:ident $(<$($life:lifetime),+>)? ($($arg:ident: $ty:ty),*) -> $out:ty;
    )+) => {
        $($crate::__forward_unless! {
            $except $name
            $kind $before $this $store $name [$($($life)+)?] [$($arg: $ty,)*] [$out]
        })+
    };
}

/// Forwards without exceptions; a branch of its own, so that this crate can use [`forward_store`] this way too.
#[doc(hidden)]
#[macro_export]
macro_rules! __forward_unless {
    ([] $name:ident $($method:tt)+) => { $crate::__forward_one! { $($method)+ } };
    ([$($except:ident)+] $name:ident $($method:tt)+) => {
        $crate::__forward_unless_named! { $name [$($except)+] $($method)+ }
    };
}

/// Writes one method as `async_trait` would.
#[doc(hidden)]
#[macro_export]
macro_rules! __forward_one {
    (plain $before:tt $this:ident [$store:expr] $name:ident [] [] [$out:ty]) => {
        fn $name(&$this) -> $out {
            $crate::StorageAdapter::$name(&$store)
        }
    };
    (async [] $this:ident [$store:expr] $name:ident [$($life:lifetime)*] [$($arg:ident: $ty:ty,)*] [$out:ty]) => {
        fn $name<'store, $($life,)* 'answer>(&'store $this, $($arg: $ty),*) -> $crate::StoreFuture<'answer, $out>
        where
            'store: 'answer,
            $($life: 'answer,)*
            Self: 'answer,
        {
            $crate::StorageAdapter::$name(&$store, $($arg),*)
        }
    };
    (async [$before:ident] $this:ident [$store:expr] $name:ident [$($life:lifetime)*]
        [$($arg:ident: $ty:ty,)*] [$out:ty]) => {
        fn $name<'store, $($life,)* 'answer>(&'store $this, $($arg: $ty),*) -> $crate::StoreFuture<'answer, $out>
        where
            'store: 'answer,
            $($life: 'answer,)*
            Self: 'answer,
        {
            ::std::boxed::Box::pin(async move {
                $this.$before(::core::stringify!($name)).await?;
                $crate::StorageAdapter::$name(&$store, $($arg),*).await
            })
        }
    };
}

/// Makes the two macros that know the methods by their names, which a macro cannot compare otherwise. `$d` is
/// the sign `$`, which would be read as this macro's own.
macro_rules! named {
    ([$d:tt] $($kind:ident $name:ident $(<$($life:lifetime),+>)? ($($args:tt)*) -> $out:ty;)+) => {
        /// Forwards a method, unless it is among the exceptions.
        #[doc(hidden)]
        #[macro_export]
        macro_rules! __forward_unless_named {
            $(($name [$name $d($d rest:ident)*] $d($d method:tt)+) => {};)+
            ($d name:ident [$d other:ident $d($d rest:ident)*] $d($d method:tt)+) => {
                $d crate::__forward_unless_named! { $d name [$d($d rest)*] $d($d method)+ }
            };
            ($d name:ident [] $d($d method:tt)+) => {
                $d crate::__forward_one! { $d($d method)+ }
            };
        }

        /// Refuses an exception that is no method.
        #[doc(hidden)]
        #[macro_export]
        macro_rules! __store_method_named {
            $(($name) => {};)+
            ($d other:ident) => {
                ::core::compile_error!(::core::concat!(
                    "`StorageAdapter` has no method `", ::core::stringify!($d other), "`"
                ));
            };
        }
    };
}

__store_methods! { [named] [$] }

// `Arc` and `Box` override every method: no default hides that of the store beneath.
#[deny(clippy::missing_trait_methods)]
impl<T: StorageAdapter + ?Sized> StorageAdapter for Arc<T> {
    forward_store! { self => **self }
}

#[deny(clippy::missing_trait_methods)]
impl<T: StorageAdapter + ?Sized> StorageAdapter for Box<T> {
    forward_store! { self => **self }
}

#[cfg(test)]
mod tests {
    /// The names of the list.
    macro_rules! names {
        ([] $($kind:ident $name:ident $(<$($life:lifetime),+>)? ($($args:tt)*) -> $out:ty;)+) => {
            &[$((stringify!($kind), stringify!($name))),+]
        };
    }

    const LISTED: &[(&str, &str)] = __store_methods! { [names] [] };

    /// Lists the methods declared in the trait's file.
    fn declared(source: &str) -> Vec<(&str, &str)> {
        let (_, of_the_trait) = source.split_once("\npub trait StorageAdapter").unwrap();
        let (body, _) = of_the_trait.split_once("\n}").unwrap();
        let code = body.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
        code.filter_map(|line| {
            let (before, after) = line.split_once("fn ")?;
            let kind = if before.contains("async") { "async" } else { "plain" };
            Some((kind, after.split(['(', '<']).next()?.trim()))
        })
        .collect()
    }

    /// A method with a default could be forgotten: the compiler does not ask for it.
    #[test]
    fn the_list_is_the_trait() {
        let declared = declared(include_str!("adapter.rs"));
        assert_eq!(
            declared, LISTED,
            "`__store_methods!` lists what `trait StorageAdapter` has, in its order"
        );
        assert!(declared.contains(&("async", "change_keys")), "one with a default");
        assert!(declared.contains(&("async", "snapshot")), "the other");
    }

    #[test]
    fn a_method_with_a_default_is_seen() {
        let source = "\npub trait StorageAdapter: X {\n    /// fn no\n    async fn a(&self);\n\n    fn b<'a>(\n        \
                      &self,\n    ) {\n        let _ = 1;\n    }\n}\nfn c() {}\n";
        assert_eq!(declared(source), [("async", "a"), ("plain", "b")]);
    }
}
