import Artifacts
import Foundation
import Hummingbird
import Messages
import ServiceKit
import Store

extension API {
    /// Logs are read by byte offset: a follower asks again from `next` until `ended`.
    func addLogs(_ routes: Routes) {
        routes.get("/runs/{run}/logs") { call in
            let run = try await resolve(call)
            let (steps, state) = try await store.read { db in
                (try RunQueries.begun(run, db), try RunQueries.state(run, db))
            }
            return Reply([
                "run": .string(run), "steps": .array(steps), "ended": .bool(state == "finished"),
            ])
        }
        routes.get("/runs/{run}/logs/{job}/{step}") { call in
            let run = try await resolve(call)
            let (job, step) = (try call.path("job"), try call.path("step"))
            let found = try await store.read { db in try RunQueries.step(run, job, step, db) }
            guard let found else {
                throw Refusal(
                    404, "run \(run) has no step '\(job)/\(step)'", hint: "'martlet runs show \(run)' lists its steps")
            }
            let offset = try call.number("offset", 0...Int.max, default: 0)
            let attempt = try call.number("attempt", 0...10_000, default: found["attempt"]?.int ?? 0)
            let isOver = found["state"]?.string == "finished" || attempt != found["attempt"]?.int
            // What is stored is the last attempt's log; an earlier one has only its own file.
            let stored = attempt == found["attempt"]?.int ? found["log"]?.string : nil
            return Reply(try await part(of: "\(run)/\(job)/\(step)/\(attempt)", stored: stored, offset, isOver))
        }
    }

    private func part(of item: String, stored: String?, _ offset: Int, _ isOver: Bool) async throws -> JSONValue {
        if let live = try? await artifacts.readLive(item, from: Int64(offset)) {
            let whole = live.sealed || (isOver && live.bytes.isEmpty)
            return Self.part(live.bytes, offset, isLast: whole)
        }
        guard let digest = stored.flatMap({ Digest($0) }) else {
            return Self.part(Data(), offset, isLast: isOver)
        }
        // Once for a reading, not for each of its parts: a log may have 64 of them.
        if offset == 0 { try await artifacts.verify(digest) }
        let bytes = try await artifacts.read(digest, from: Int64(offset), upTo: 1 << 20)
        return Self.part(bytes, offset, isLast: bytes.count < 1 << 20)
    }

    /// A letter of several bytes may still be on its way: then its beginning waits for the rest.
    private static func part(_ bytes: Data, _ offset: Int, isLast: Bool) -> JSONValue {
        let whole = isLast ? bytes : bytes.dropLast(unfinished(bytes))
        return [
            "text": .string(String(decoding: whole, as: UTF8.self)), "next": .int(offset + whole.count),
            "ended": .bool(isLast),
        ]
    }

    /// How many bytes at the end begin a UTF-8 sequence that is not complete.
    static func unfinished(_ bytes: Data) -> Int {
        for (count, byte) in bytes.suffix(4).reversed().enumerated() {
            if byte & 0b1100_0000 == 0b1000_0000 { continue }
            let length = byte < 0x80 ? 1 : byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            return count + 1 < length ? count + 1 : 0
        }
        return 0
    }
}
