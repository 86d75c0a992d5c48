import Foundation
import Testing

/// Which way dependencies may point (docs/contributing.md).
struct ImportTests {
    private let sources: [House.SourceFile]

    init() throws {
        sources = try House.files(in: ["Services", "Shared"])
        // A wrong root would make every rule hold.
        try #require(sources.count > 100)
    }

    @Test func `messages import Foundation only`() {
        for file in sources where file.path.hasPrefix("Shared/Messages/") {
            #expect(file.imports.subtracting(["Foundation"]).isEmpty, "\(file.path)")
        }
    }

    @Test func `a domain imports Foundation, Messages and ProjectFile only`() {
        for file in sources where file.isDomain {
            let others = file.imports.subtracting(["Foundation", "Messages", "ProjectFile"])
            #expect(others.isEmpty, "\(file.path) imports \(others.sorted())")
        }
    }

    @Test(arguments: [
        ("CZMQ", ["Shared/Bus/", "Services/event-bus/"]),
        ("CCurl", ["Shared/HTTPClient/"]),
        ("Yams", ["Shared/ProjectFile/"]),
    ])
    func `a library stays behind its door`(library: String, doors: [String]) {
        for file in sources where file.imports.contains(library) {
            #expect(doors.contains { file.path.contains($0) }, "\(file.path) imports \(library)")
        }
    }

    @Test func `no service imports another`() {
        let services: Set<String> = [
            "TriggerService", "TrainerProxy", "Evaluator", "RegistryService", "Deployer", "Notifier", "EventBus",
            "Console",
            "Martlet",
        ]
        // `martlet-suite` is all of them; a service's own program has nothing but its service.
        for file in sources where !file.path.hasPrefix("Services/martlet-suite/") {
            let service = file.folders.dropFirst().first ?? ""
            let own = service.split(separator: "-").map(\.capitalized).joined()
            let others = file.imports.intersection(services)
                .subtracting(file.folders.last == "Program" ? [own] : [])
            #expect(others.isEmpty, "\(file.path) imports \(others.sorted())")
        }
    }

    @Test func `nothing shared knows what stands on it`() {
        let below: [String: Set<String>] = [
            "Messages": [
                "EventLog", "Bus", "Store", "ServiceKit", "ProjectFile", "Artifacts", "HTTPClient", "Processes",
            ],
            "EventLog": ["Bus", "Store", "ServiceKit"],
            "Bus": ["Store", "ServiceKit"],
            "Store": ["Bus", "ServiceKit"],
            "ProjectFile": ["Bus", "Store", "ServiceKit"],
            "Artifacts": ["Bus", "Store", "ServiceKit"],
            "HTTPClient": ["Bus", "Store", "ServiceKit", "Messages"],
            "Processes": ["Bus", "Store", "ServiceKit"],
        ]
        for file in sources where file.path.hasPrefix("Shared/") {
            let module = file.folders.dropFirst().first ?? ""
            let wrong = file.imports.intersection(below[module] ?? [])
            #expect(wrong.isEmpty, "\(file.path) imports \(wrong.sorted())")
        }
    }
}
