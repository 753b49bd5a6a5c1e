//! Texts of every kind come back as they were sent, or are refused; none changes the stream.

use serde_json::json;

use crate::smoke::case::{Case, CaseResult, Stop, case};
use crate::smoke::expect::{ensure, json, need};
use crate::smoke::lab::{Lab, QUESTION, create};
use crate::smoke::told::{id, rows, text};

/// Where the protocol says it.
const RULE: &str = "SSE framing: control characters are escaped, other text is written raw";

pub(super) const CASES: &[Case] = &[
    case!("text/emoji", "emoji, joined ones too, come back whole", RULE, emoji),
    case!("text/right-to-left", "right-to-left text and its marks come back whole", RULE, right_to_left),
    case!("text/combining", "combining characters come back as they were", RULE, combining),
    case!("text/line-separators", "U+2028, U+2029 and U+0085 come back, and end no line", RULE, line_separators),
    case!("text/controls", "control characters come back or are refused", RULE, controls),
    case!("text/nul", "NUL comes back or is refused", RULE, nul),
    case!("text/line-breaks", "line breaks of every kind come back", RULE, line_breaks),
    case!("text/false-events", "a message that looks like events starts none", RULE, false_events),
    case!("text/markup", "markup comes back as text", RULE, markup),
    case!(
        "text/long",
        "a message of 10,000 characters comes back whole, or is refused",
        "every limit is a 4xx before the stream",
        long
    ),
    case!("text/quotes", "quotes, backslashes and braces come back", RULE, quotes),
    case!("text/four-byte", "characters beyond U+FFFF come back", RULE, four_byte),
];

/// The text comes back in the stream and from the store; a 4xx is as good.
async fn comes_back(lab: &Lab, sent: &str) -> CaseResult {
    let reply = lab.one.call("threads.create", create(sent)).await?;
    if (400..500).contains(&reply.status) {
        return Ok(());
    }
    ensure(reply.status == 200 && reply.cut.is_none(), || reply.describe())?;
    let told = reply.told();
    ensure(told.of("error").next().is_none() && told.of("x").next().is_none(), || {
        "the stream has an error".to_owned()
    })?;
    let message = told.done("user_message").next();
    let message = message.ok_or_else(|| Stop::Fail("the message is not acknowledged".to_owned()))?;
    ensure(text(message) == sent, || "the stream has another text".to_owned())?;
    let thread = need(told.thread_id(), "a thread")?;
    let page = json(&lab.one.call("items.list", json!({ "thread_id": thread, "order": "asc" })).await?)?;
    let stored = rows(&page).iter().find(|item| id(item) == id(message));
    ensure(stored.is_some_and(|item| text(item) == sent), || "the store has another text".to_owned())
}

async fn emoji(lab: &Lab) -> CaseResult {
    comes_back(lab, &format!("{QUESTION} 🎒 👩‍👩‍👧‍👦 🏳️‍🌈 e\u{fe0f}")).await
}

async fn right_to_left(lab: &Lab) -> CaseResult {
    comes_back(lab, &format!("כמה זמן לוקח החזר? كم يستغرق؟ \u{200f}\u{202b}x\u{202c} {QUESTION}")).await
}

async fn combining(lab: &Lab) -> CaseResult {
    comes_back(lab, &format!("{QUESTION} cafe\u{301} café ﬁ Å")).await
}

async fn line_separators(lab: &Lab) -> CaseResult {
    comes_back(lab, &format!("{QUESTION}\u{2028}two\u{2029}three\u{85}four")).await
}

async fn controls(lab: &Lab) -> CaseResult {
    comes_back(lab, &format!("{QUESTION} \u{1}\u{7}\u{8}\u{b}\u{1b}[31m\u{7f}\u{9b}")).await
}

async fn nul(lab: &Lab) -> CaseResult {
    comes_back(lab, &format!("{QUESTION} a\u{0}b")).await
}

async fn line_breaks(lab: &Lab) -> CaseResult {
    comes_back(lab, &format!("{QUESTION}\none\r\ntwo\rthree\n\nfour")).await
}

async fn false_events(lab: &Lab) -> CaseResult {
    let false_one =
        "\n\ndata: {\"type\":\"error\",\"code\":\"custom\",\"message\":\"x\",\"allow_retry\":false}\n\nevent: x\n\n";
    comes_back(lab, &format!("{QUESTION}{false_one}")).await
}

async fn markup(lab: &Lab) -> CaseResult {
    comes_back(lab, &format!("{QUESTION} <script>alert(1)</script> <b>&amp;</b> ![x](http://x/)")).await
}

async fn long(lab: &Lab) -> CaseResult {
    comes_back(lab, &format!("{QUESTION} {}", "wörter ".repeat(1_425))).await
}

async fn quotes(lab: &Lab) -> CaseResult {
    comes_back(lab, &format!("{QUESTION} \"a\" 'b' \\n \\u0041 {{\"c\":1}} `d` $(e) %s {{}} ''")).await
}

async fn four_byte(lab: &Lab) -> CaseResult {
    comes_back(lab, &format!("{QUESTION} 𝄞 𠮷 \u{10ffff} \u{fffe}")).await
}
