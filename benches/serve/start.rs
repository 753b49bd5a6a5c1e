//! How long a start takes, and what an idle server takes.

use std::time::{Duration, Instant};

use crate::bot::{Bot, make_folder};

const DOCUMENTS: usize = 1000;
const STARTS: usize = 5;

/// First a start that makes the index, then some that find it ready.
pub async fn measure() {
    let begun = Instant::now();
    let bot = Bot::start(make_folder(DOCUMENTS), 0).await;
    bot.healthy().await;
    println!("start with {DOCUMENTS} documents to index: {:.0} ms", begun.elapsed().as_secs_f64() * 1000.0);
    let mut folder = bot.stop().await.unwrap();
    let mut took = Vec::new();
    for _ in 0..STARTS {
        let begun = Instant::now();
        let bot = Bot::start(folder, 0).await;
        bot.healthy().await;
        took.push(begun.elapsed());
        tokio::time::sleep(Duration::from_secs(2)).await;
        if let Some((mib, descriptors)) = bot.usage() {
            println!("  idle: resident {mib:.1} MiB, {descriptors} descriptors");
        }
        folder = bot.stop().await.unwrap();
    }
    took.sort_unstable();
    println!("start with a ready index, to healthy: {:?} (all: {took:?})", took[STARTS / 2]);
}
