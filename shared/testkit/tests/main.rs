//! One binary for all tests, because each links everything once more.

mod alerts;
mod batches;
mod breaker;
mod choices;
mod configuration;
mod crashes;
mod customer_data;
mod dead_letters;
mod draining;
mod duplicates;
mod event_order;
mod handover;
mod inbound_calls;
mod lists;
mod loops;
mod misconfigured;
mod operator;
mod ownership;
mod parking;
mod receipts;
mod registrations;
mod relayed_files;
mod sessions;
mod sqs;
mod timers;
mod transcripts;
