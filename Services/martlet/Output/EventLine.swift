import Foundation
import Messages

/// One event on one line: when, what, of whom, and the few fields that say most.
enum EventLine {
    private static let telling = [
        "pipeline", "job", "step", "verb", "branch", "sha", "version", "from", "to", "winner", "metric", "endpoint",
        "environment", "approval", "outcome", "result", "by", "recipient", "reason", "message",
    ]

    static func text(_ event: Envelope) -> String {
        let time = event.time.text.dropFirst(11).prefix(12)
        let name = shortEventName(event.type)
        let facts = telling.compactMap { key -> String? in
            guard let value = event.data[key]?.scalarText, !value.isEmpty else { return nil }
            let short = key == "sha" ? String(value.prefix(7)) : String(value.prefix { $0 != "\n" })
            return "\(key)=\(short.contains(" ") ? "'\(short)'" : short)"
        }
        let padded = name + String(repeating: " ", count: max(0, 26 - name.count))
        return "\(time)  \(padded)  \(event.subject)  \(facts.joined(separator: " "))"
            .trimmingCharacters(in: .whitespaces).printable
    }
}
