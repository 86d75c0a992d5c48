import ArgumentParser
import Artifacts
import Foundation
import Messages
import ServiceKit

/// Times one large artifact through the store, as services use it; prints JSON. Where it goes: as for every service.
@main
struct ArtifactBench: AsyncParsableCommand {
    @Argument(help: "A file.") var file: String
    @Option(help: "Data folder.") var data: String

    func run() async throws {
        let paths = DataPaths(root: data)
        let store = try ArtifactSettings(secrets: Secrets(paths: paths)).store(paths)
        var began = ContinuousClock.now
        let digest = try await store.put(file: file)
        let up = (.now - began) / .seconds(1)
        began = .now
        var bytes = 0
        for try await piece in try await store.stream(digest) { bytes += piece.count }
        let down = (.now - began) / .seconds(1)
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let peak = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }?.filter(\.isNumber) ?? "0"
        print(#"{"bytes": \#(bytes), "up": \#(up), "down": \#(down), "peak_kib": \#(peak)}"#)
    }
}
