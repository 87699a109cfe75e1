//! How deeply JSON is nested, before anything of it is read.

/// Whether arrays and objects in `json` lie more than `most` levels within each other.
/// Nothing is built, and no stack grows. Of what is not JSON the answer means nothing: a
/// reader refuses it.
pub fn is_nested_deeper(json: &[u8], most: usize) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => {
                depth += 1;
                if depth > most {
                    return true;
                }
            }
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against nesting that is not counted, and against brackets in texts that are.
    #[test]
    fn nesting_is_counted_outside_of_texts() {
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(!is_nested_deeper(deep(8).as_bytes(), 8));
        assert!(is_nested_deeper(deep(9).as_bytes(), 8));
        assert!(is_nested_deeper(br#"{"a":[{"b":1}]}"#, 2));
        assert!(!is_nested_deeper(br#"{"a":[[],[],[]],"b":{}}"#, 3));
        assert!(!is_nested_deeper(br#"["[[[[", "\"[[[[", "\\"]"#, 1));
        assert!(is_nested_deeper(br#"["\\",[[]]]"#, 2));
    }
}
