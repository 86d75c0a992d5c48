import Foundation
import Testing

/// Where SQL, clocks and what starts programs may stand.
struct PlaceTests {
    @Test func `SQL stands in Store folders only`() throws {
        let sql =
            #/\b(SELECT\s.+\sFROM\s|INSERT (OR \w+ )?INTO\s|UPDATE \w+ SET\s|DELETE FROM\s|CREATE (TABLE|INDEX)\s)/#
        for file in try House.files(in: ["Services", "Shared"]) where !file.folders.contains("Store") {
            for (number, text) in file.code where text.contains(sql) {
                Issue.record("\(file.path):\(number): SQL outside of a Store folder: \(text)")
            }
        }
    }

    /// Foundation's own crashes where more than some 1,300 files are open.
    @Test func `programs are started by our own code only`() throws {
        let foundations = #/\bProcess\(\)/#
        for file in try House.files(in: ["Services", "Shared"]) {
            for (number, text) in file.code where text.contains(foundations) {
                Issue.record("\(file.path):\(number): use Processes: runCommand, runBlocking or DetachedProcess")
            }
        }
    }

    @Test func `a domain has no clock, no chance, no file and no environment`() throws {
        let banned = [
            "Date()": "take the time as a parameter", "Date.now": "take the time as a parameter",
            "ContinuousClock": "take the time as a parameter", "SuspendingClock": "take the time as a parameter",
            "UUID()": "take the id as a parameter", ".random(": "take the number as a parameter",
            "FileManager": "read files in Effects", "ProcessInfo": "read settings in Settings.swift",
            "Task.sleep": "wait in Effects",
        ]
        for file in try House.files(in: ["Services", "Shared"]) where file.isDomain {
            for (number, text) in file.code {
                for (word, advice) in banned where text.contains(word) {
                    Issue.record("\(file.path):\(number): \(word) in a domain; \(advice)")
                }
            }
        }
    }
}
