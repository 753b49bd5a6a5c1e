//! How much a store will bill once a plan is carried out. An estimate: what is billed is what the service makes of a
//! file, not its size. Pure.

use std::collections::HashMap;

use crate::hosted::folder::Folder;
use crate::hosted::plan::Plan;
use crate::hosted::state::Remote;

/// How many bytes the store will bill when the plan is carried out: what goes up is taken to grow as what is there has
/// grown.
pub fn bytes_after(remote: &Remote, folder: &Folder, plan: &Plan) -> u64 {
    let usage: HashMap<&str, u64> =
        remote.documents.values().flatten().map(|file| (file.file_id.as_str(), file.usage_bytes)).collect();
    let of = |file_id: &str| usage.get(file_id).copied().unwrap_or_default();
    let sizes: HashMap<&str, u64> =
        folder.wanted.iter().map(|wanted| (wanted.document_id.as_str(), wanted.file.bytes)).collect();
    let (mut billed, mut raw) = (0, 0);
    for change in plan.keep.iter().chain(&plan.relabel) {
        if let (Some(file_id), Some(bytes)) = (&change.file_id, sizes.get(change.document_id.as_str())) {
            billed += of(file_id);
            raw += bytes;
        }
    }
    let growth = if raw > 0 && billed > 0 { billed as f64 / raw as f64 } else { 1.0 };
    let changes = plan.remove.iter().chain(&plan.replace).chain(&plan.resume).chain(&plan.retry);
    let earlier = changes.flat_map(|change| &change.earlier).map(|earlier| of(&earlier.file_id));
    let gone: u64 = earlier.chain(plan.drop.iter().map(|file| of(&file.file_id))).sum();
    let new: f64 = plan
        .add
        .iter()
        .chain(&plan.replace)
        .filter_map(|change| sizes.get(change.document_id.as_str()))
        .map(|bytes| *bytes as f64 * growth)
        .sum();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate, never negative")]
    let new = new as u64;
    remote.store.usage_bytes.saturating_sub(gone).saturating_add(new)
}
