//! Tests of the whole runtime in one process, without sockets, processes or waiting.
//!
//! [`TestStack`] runs the code of the inbound functions, the outbound functions and the scheduler on `DynamoDB`, SQS
//! and SSM in memory, through the real AWS SDKs. Nothing runs by itself: the test makes the calls of
//! platforms, gives queue messages to workers, and moves the clock.
//!
//! ```
//! # use jiff::SignedDuration;
//! use trunkline_testkit::{Reply, TestStack, message};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() {
//! // A channel and a bot on the toy platform, which accepts everything at first.
//! let stack = TestStack::with_bot().await;
//! stack.toy.always("bot", Reply::Status(503));
//! // One call to the inbound function, then everything that is due.
//! stack.send("channel", "customer-1", "m-1", message("hello")).await;
//! assert_eq!(stack.parked("bot").await.len(), 1);
//! // Retries are scheduled tasks, which become due when the clock moves.
//! stack.toy.always("bot", Reply::Accept);
//! stack.advance(SignedDuration::from_secs(3)).await;
//! assert_eq!(stack.toy.heard("bot"), ["hello"]);
//! # }
//! ```
//!
//! | to | use |
//! | --- | --- |
//! | configure | [`TestStack::with_bot`], [`TestStack::with_desk`], [`TestStack::connect`], [`TestStack::route`] |
//! | send an event | [`TestStack::send`], [`TestStack::accept`], [`TestStack::try_send`], [`TestStack::post`] |
//! | process | [`TestStack::step`], [`TestStack::run_until_idle`], [`TestStack::advance`], [`TestStack::tick`] |
//! | script a platform | [`ToyPlatform::always`], [`ToyPlatform::once`], [`ToyPlatform::for_word`] with a [`Reply`] |
//! | read what a platform received | [`ToyPlatform::heard`], [`ToyPlatform::taken`], [`ToyPlatform::calls`] |
//! | read the state | [`TestStack::conversation`], [`TestStack::parked`], [`TestStack::failed`], [`TestStack::accounting`] |
//! | act as an operator | `stack.app.operator_actions()` |
//! | break an AWS call, or crash at it | [`TestStack::faults`] with a [`Fault`] |
//! | run a real platform | [`TestStack::add_platform`], [`TestStack::connect_platform`] |
//!
//! Time: the clock stands still, except that code which sleeps moves it (Tokio's time is paused, and the
//! clock follows it). So a test takes as long as its work, and an hour's schedule takes milliseconds.
//!
//! A crash drops the worker's future at an AWS call and ends its process: its caches are lost, its queue
//! messages reappear after their visibility timeout, and its HTTP caller gets no answer.

pub mod aws;
mod clock;
mod faults;
pub mod files;
mod stack;
mod toy;

pub use clock::{ManualClock, SequentialIds};
pub use faults::{Fault, Faults};
pub use stack::{Accounting, CallResponse, TestStack, choice, close, handback, handover, message};
pub use toy::{FileReply, Reply, ToyCall, ToyPlatform};
