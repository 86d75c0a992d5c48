import Foundation
import Testing

/// A figure that nobody can look up, or that an alert asks for in vain, is worse than none.
struct MetricNameTests {
    /// What the programs tell.
    private func told() throws -> Set<String> {
        let literal = #/"((?:martlet|process)_[a-z_]+)"/#
        let files = try House.files(in: ["Services", "Shared"])
        return Set(files.flatMap { $0.code }.flatMap { $0.text.matches(of: literal).map { String($0.1) } })
    }

    private func names(in path: String) throws -> Set<String> {
        let text = try House.read(path).lines.joined(separator: "\n")
        return Set(
            text.matches(of: #/\b(?:martlet|process)_[a-z_]+/#).map { match in
                String(match.0).replacing(#/_(bucket|sum|count)$/#, with: "")
            })
    }

    @Test func `what alerts and the dashboard ask for is told by some program`() throws {
        let told = try told()
        #expect(told.count > 20)
        for path in ["compose/observability/alerts.yml", "compose/observability/dashboard.json"] {
            let asked = try names(in: path)
            #expect(asked.count > 8)
            #expect(asked.subtracting(told).isEmpty, "\(path): \(asked.subtracting(told).sorted())")
        }
    }

    @Test func `what is told is in the operators' page, and nothing else`() throws {
        let told = try told(), written = try names(in: "docs/operating.md")
        #expect(told.subtracting(written).isEmpty, "not in docs/operating.md: \(told.subtracting(written).sorted())")
        #expect(written.subtracting(told).isEmpty, "told by nobody: \(written.subtracting(told).sorted())")
    }

    @Test func `every alert says what to do`() throws {
        let rules = try House.read("compose/observability/alerts.yml").lines
        let page = try House.read("docs/operating.md").lines
        let alerts = rules.compactMap { $0.firstMatch(of: #/- alert: (\w+)/#).map { String($0.1) } }
        #expect(alerts.count > 10)
        for alert in alerts {
            #expect(page.contains { $0.hasPrefix("| `\(alert)` |") }, "docs/operating.md does not explain \(alert)")
        }
    }
}
