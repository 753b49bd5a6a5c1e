//! Pairs of unspaced characters that hold grammar and question words and no topic.

/// Characters of Chinese that are words of grammar or of questions, or halves of such words.
const CHINESE: &str = "的了是在吗呢吧啊么什哪谁何几被把这那它们您你她其与及";

/// Pairs of Han that ask.
const CHINESE_PAIRS: &[&str] =
    &["多少", "如何", "怎样", "怎么", "哪里", "时候", "多久", "多长", "多大", "多高", "多远"];

/// Pairs of Hangul that end questions or ask, and pairs across a word and a particle of grammar.
const KOREAN_PAIRS: &[&str] = &[
    "무엇", "엇인", "엇이", "엇을", "인가", "가요", "나요", "습니", "니까", "는가", "었는", "였는", "았는", "했는",
    "하는", "되는", "이다", "인지", "는지", "은지", "을까", "일까", "누구", "구인", "언제", "제인", "어디", "디인",
    "디에", "어떤", "어떻", "떻게", "얼마", "마나", "마인", "몇", "왜", "에서", "에게", "으로", "까지", "부터", "이며",
    "하여", "하고", "되었", "하였", "이라", "라고", "라는", "위해", "있는", "있다", "있나", "어느", "무슨",
];

/// Syllables of Thai words that ask or join, as pairs of clusters.
const THAI: &[&str] = &["อะไ", "ไร", "ใคร", "ที่ไ", "ไห", "เมื่", "เท่", "ท่า", "กี่"];

/// Whether the pair tells nothing about a topic. A word of another script is none.
pub(super) fn is_stop_pair(pair: &str) -> bool {
    let Some(first) = pair.chars().next() else { return false };
    match first {
        '\u{3041}'..='\u{309f}' => pair.chars().all(|letter| matches!(letter, '\u{3041}'..='\u{309f}')),
        '\u{ac00}'..='\u{d7af}' => KOREAN_PAIRS.contains(&pair),
        '\u{0e01}'..='\u{0e4e}' => THAI.contains(&pair),
        _ => false,
    }
}

/// Whether a pair of Han holds grammar: it says little, but the text that answers may have the same.
pub(super) fn is_chinese_grammar(pair: &str) -> bool {
    let han = pair.chars().all(|letter| matches!(letter, '\u{4e00}'..='\u{9fff}'));
    han && (CHINESE_PAIRS.contains(&pair) || pair.chars().any(|letter| CHINESE.contains(letter)))
}
