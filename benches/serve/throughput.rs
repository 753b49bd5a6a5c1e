//! How many conversations a second begin and are answered.

use std::time::{Duration, Instant};

use crate::Options;
use crate::bot::Bot;
use crate::client::{Client, Endpoint, percentile};

/// What was counted.
#[derive(Default)]
struct Figures {
    took: Vec<Duration>,
    wrong: usize,
}

/// At concurrency 1, 8 and 64.
pub async fn measure(options: &Options) {
    let bot = Bot::open(options, 0).await;
    drive(&bot.endpoint, 8, Duration::from_secs(1)).await;
    println!("threads.create, whole answers:");
    for concurrency in [1, 8, 64] {
        let figures = drive(&bot.endpoint, concurrency, options.seconds).await;
        figures.print(&format!("concurrency {concurrency:>2}"), options.seconds);
    }
    if let Some((mib, descriptors)) = bot.usage() {
        println!("  resident {mib:.1} MiB, {descriptors} descriptors");
    }
    bot.stop().await;
}

/// At half of what the server carries, for long.
pub async fn soak(options: &Options) {
    let bot = Bot::open(options, 0).await;
    let trial = Duration::from_secs(5);
    let capacity = drive(&bot.endpoint, 64, trial).await.took.len() as f64 / trial.as_secs_f64();
    let pause = Duration::from_secs_f64(32.0 / (capacity / 2.0));
    println!("half of {capacity:.0} answers a second, for {:?}:", options.seconds);
    for part in 1..=10 {
        let figures = drive_paced(&bot.endpoint, 32, options.seconds / 10, pause).await;
        let usage = bot.usage().map(|(mib, files)| format!("{mib:.1} MiB, {files} descriptors")).unwrap_or_default();
        figures.print(&format!("part {part:>2}, {usage}"), options.seconds / 10);
    }
    bot.stop().await;
}

impl Figures {
    fn print(mut self, name: &str, during: Duration) {
        self.took.sort_unstable();
        let rate = self.took.len() as f64 / during.as_secs_f64();
        let [p50, p95, p99] = [500, 950, 990].map(|share| percentile(&self.took, share).as_secs_f64() * 1000.0);
        println!("  {name}: {rate:.0}/s, p50 {p50:.2} ms, p95 {p95:.2} ms, p99 {p99:.2} ms, {} wrong", self.wrong);
    }
}

async fn drive(endpoint: &Endpoint, concurrency: usize, during: Duration) -> Figures {
    drive_paced(endpoint, concurrency, during, Duration::ZERO).await
}

/// So many clients, each asking again `pause` after it asked, or as soon as it is answered.
async fn drive_paced(endpoint: &Endpoint, concurrency: usize, during: Duration, pause: Duration) -> Figures {
    let until = Instant::now() + during;
    let clients = (0..concurrency).map(|number| {
        let endpoint = endpoint.clone();
        let offset = pause * u32::try_from(number).unwrap() / u32::try_from(concurrency).unwrap();
        async move {
            tokio::time::sleep(offset).await;
            one_client(&endpoint, until, pause).await
        }
    });
    let mut all = Figures::default();
    for figures in futures_util::future::join_all(clients).await {
        all.took.extend(figures.took);
        all.wrong += figures.wrong;
    }
    all
}

async fn one_client(endpoint: &Endpoint, until: Instant, pause: Duration) -> Figures {
    let request = endpoint.create("How long does the delivery of a tent take?");
    let mut figures = Figures::default();
    let mut client = Client::connect(endpoint).await.unwrap();
    let mut next = Instant::now();
    while Instant::now() < until {
        match client.ask(&request).await {
            Ok(answer) if answer.status == 200 && answer.is_whole => figures.took.push(answer.took),
            Ok(_) => figures.wrong += 1,
            Err(_) => {
                figures.wrong += 1;
                client = Client::connect(endpoint).await.unwrap();
            }
        }
        next += pause;
        tokio::time::sleep_until(next.into()).await;
    }
    figures
}
