import Foundation
import Testing

struct LeftoverTests {
    /// Put together, so that this file does not find itself.
    private static let everywhere = ["TO" + "DO", "FIX" + "ME", "XX" + "X", ".." + "/shared", "/wo" + "rk/"]
    private static let outsideTests = ["try" + "!", " as" + "! ", "fatal" + "Error("]

    @Test func `nothing is left for later`() throws {
        let folders = ["Services", "Shared", "Tests", "Examples", "Bench", "docs", ".ci"]
        let texts = try House.files(in: folders, endings: ["swift", "py", "md", "yml", "json", "h", "c"])
        let single = try ["Package.swift", "Makefile", "README.md", ".ci/run", ".ci/setup"].map(House.read)
        // Payloads that others recorded are theirs.
        for file in texts + single where !file.path.hasPrefix("Tests/Fixtures/") {
            for (index, line) in file.lines.enumerated() {
                for word in Self.everywhere where Self.holds(line, word) {
                    Issue.record("\(file.path):\(index + 1): \(word)")
                }
            }
        }
    }

    /// As a word of its own: `mktemp`'s pattern is no leftover.
    private static func holds(_ line: String, _ word: String) -> Bool {
        guard let found = line.range(of: word) else { return false }
        guard word.allSatisfy(\.isLetter) else { return !line[..<found.lowerBound].hasSuffix("<data>") }
        let before = line[..<found.lowerBound].last, after = line[found.upperBound...].first
        return before?.isLetter != true && after?.isLetter != true
    }

    @Test func `a failure is an answer, not a crash`() throws {
        for file in try House.files(in: ["Services", "Shared"]) {
            for (number, text) in file.code {
                for word in Self.outsideTests where text.contains(word) {
                    Issue.record("\(file.path):\(number): \(word)")
                }
            }
        }
    }

    @Test func `who promises thread safety says who keeps it`() throws {
        for file in try House.files(in: ["Services", "Shared"]) {
            for (number, text) in file.code
            where text.contains("@unchecked Sendable") || text.contains("nonisolated(unsafe)") {
                let near = file.lines[max(0, number - 6)..<number]
                #expect(near.contains { $0.contains("//") }, "\(file.path):\(number): say who guarantees it")
            }
        }
    }

    @Test func `a decision that is named exists`() throws {
        let reference = #/docs/decisions/(\d{4})[\w-]*(?:\.md)?/#
        let decisions = try House.files(in: ["docs/decisions"], endings: ["md"]).map(\.path)
        for file in try House.files(in: ["Services", "Shared", "Tests", "docs"], endings: ["swift", "md"]) {
            for line in file.lines {
                for match in line.matches(of: reference) {
                    #expect(
                        decisions.contains { $0.hasPrefix("docs/decisions/\(match.1)") }, "\(file.path): \(match.0)")
                }
            }
        }
    }

    @Test func `every service has its line in the architecture page`() throws {
        let page = try House.read("docs/architecture.md").lines.joined(separator: "\n")
        let services = try FileManager.default.contentsOfDirectory(atPath: House.root.path + "/Services")
        for service in services where !service.hasPrefix(".") {
            #expect(page.contains("`\(service)`"), "docs/architecture.md does not say what \(service) does")
        }
    }
}
