//! What many open streams cost.

use std::time::Duration;

use crate::Options;
use crate::bot::Bot;
use crate::client::Client;

const STREAMS: usize = 2000;
/// Between the pieces of an answer: long enough that all streams are open at the same time.
const DELTA_MS: u32 = 20_000;

/// Opens them, and tells the memory.
pub async fn measure(options: &Options) {
    let bot = Bot::open(options, DELTA_MS).await;
    let before = bot.usage();
    let request = bot.endpoint.create("How long does the delivery of a tent take?");
    let mut clients = Vec::with_capacity(STREAMS);
    for _ in 0..STREAMS {
        let mut client = Client::connect(&bot.endpoint).await.unwrap();
        client.begin(&request).await.unwrap();
        client.read_until(b"stream_options").await.unwrap();
        clients.push(client);
    }
    let health = tokio::time::timeout(Duration::from_secs(10), bot.healthy()).await;
    if let (Some((idle, _)), Some((mib, descriptors))) = (before, bot.usage()) {
        println!(
            "{STREAMS} open streams: resident {mib:.1} MiB ({idle:.1} before), {descriptors} descriptors, health {health:?}"
        );
    }
    drop(clients);
    bot.stop().await;
}
