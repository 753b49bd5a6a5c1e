//! What answers take, counted: tokens, searches, money.

use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::{Registry, Unit};

use crate::model::usage::Usage;

const NANOS: f64 = 1e9;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindLabel {
    kind: &'static str,
}

/// What all answers took.
#[derive(Debug, Clone, Default)]
pub(super) struct Spent {
    tokens: Family<KindLabel, Counter>,
    searches: Counter,
    dollars: Counter<f64, AtomicU64>,
    unpriced: Counter,
}

impl Spent {
    pub(super) fn register(&self, registry: &mut Registry) {
        let help = "Tokens of answers: `input` holds `cached` and `cache_write`, `output` holds `reasoning`";
        registry.register("tokens", help, self.tokens.clone());
        registry.register("searches", "Hosted searches of answers", self.searches.clone());
        let help = "Estimated cost of answers whose price is known";
        registry.register_with_unit("cost", help, Unit::Other("usd".to_owned()), self.dollars.clone());
        registry.register("unpriced_answers", "Answers whose cost is not known", self.unpriced.clone());
    }

    /// One answer took this.
    pub(super) fn count(&self, usage: &Usage, nano_dollars: Option<u64>) {
        let tokens = [
            ("input", usage.input_tokens),
            ("cached", usage.cached_tokens),
            ("cache_write", usage.cache_write_tokens),
            ("output", usage.output_tokens),
            ("reasoning", usage.reasoning_tokens),
        ];
        for (kind, count) in tokens {
            self.tokens.get_or_create(&KindLabel { kind }).inc_by(count);
        }
        self.searches.inc_by(u64::from(usage.searches));
        if let Some(nanos) = nano_dollars {
            self.dollars.inc_by(dollars(nanos));
        } else {
            self.unpriced.inc();
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a metric is no ledger, and exact up to nine million dollars")]
fn dollars(nanos: u64) -> f64 {
    nanos as f64 / NANOS
}
