import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Messages
import ServiceKit
import Store

/// `POST /events`: CloudEvents over HTTP, structured, binary or in batches, and CDEvents as they are. 202 once they are
/// on disk, by the same way and with the same rules as `publish` on the bus.
struct CloudEventsDoor: Sendable {
    /// Bytes of a body.
    static let largest = 1 << 20
    /// Events of one batch.
    static let most = 100

    let ingest: Ingest
    let gate: TokenGate
    let logger: Logger

    func add(to router: Router<BasicRequestContext>) {
        router.post("/events") { request, _ in
            try await answering(request, in: logger) {
                let person = try await gate.admit(request, role: .operator, basic: true)
                return try await take(request, by: person).response()
            }
        }
    }

    private func take(_ request: Request, by person: Person) async throws -> Reply {
        let body: Data
        do {
            body = Data(try await request.body.collect(upTo: Self.largest).readableBytesView)
        } catch {
            throw DoorRefusal(
                413, "the body is longer than \(Self.largest) bytes",
                hint: "send fewer events at once; put more into an artifact and refer to it")
        }
        let headers = request.headers.compactMap { field -> (name: String, value: String)? in
            (field.name.canonicalName, field.value)
        }
        do {
            let message = try CloudEventsMessage(body, headers: headers)
            guard message.events.count <= Self.most else {
                throw DoorRefusal(
                    413, "the batch has \(message.events.count) events; it may have \(Self.most)", hint: "send fewer")
            }
            var events: [OutsideEvent] = []
            for (index, bytes) in message.events.enumerated() {
                do {
                    events.append(try Ingest.read(bytes, from: person.actor))
                } catch let refusal as Refusal where message.isBatch {
                    throw Refusal("event \(index): \(refusal.reason)")
                }
            }
            let positions = try await ingest.take(events)
            let items = zip(events, positions).map { event, position -> JSONValue in
                [
                    "id": .string(event.id), "source": .string(position.source.name),
                    "epoch": .int(Int(position.epoch)), "seq": .int(Int(position.seq)),
                ]
            }
            return Reply(message.isBatch ? ["items": .array(items)] : items.first ?? [:], status: .accepted)
        } catch let large as Ingest.TooLarge {
            throw DoorRefusal(413, large.reason, hint: "keep events small")
        } catch let conflict as Ingest.Conflict {
            throw DoorRefusal(
                409, conflict.reason, hint: "an id names one event for ever; the same event may come again")
        } catch let refusal as Refusal {
            throw DoorRefusal(
                400, refusal.reason, hint: "docs/events and cloudevents.io say what an event looks like")
        }
    }
}
