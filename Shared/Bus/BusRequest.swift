import Foundation
import Messages

/// A question from somebody else, as its handler sees it.
package struct BusRequest: Sendable, Equatable {
    package var method: String
    /// Who asks, as the bus knows them; what the asker wrote there is replaced.
    package var user: String
    package var params: JSONValue
    package var body: [Data]
    /// How long the asker still waits.
    package var deadline: Duration

    package init(method: String, user: String, params: JSONValue, body: [Data] = [], deadline: Duration) {
        self.method = method
        self.user = user
        self.params = params
        self.body = body
        self.deadline = deadline
    }
}

/// An answer. Statuses mean what they mean in HTTP.
package struct BusReply: Sendable, Equatable {
    package var status: Int
    package var params: JSONValue
    package var body: [Data]

    package init(status: Int, params: JSONValue = .object([:]), body: [Data] = []) {
        self.status = status
        self.params = params
        self.body = body
    }

    package var isSuccess: Bool { (200..<300).contains(status) }

    /// The explanation that a refusal carries.
    package var error: String? { params["error"]?.string }

    package static func ok(_ params: JSONValue = .object([:]), body: [Data] = []) -> BusReply {
        BusReply(status: 200, params: params, body: body)
    }

    package static func ok(encoding params: some Encodable) throws -> BusReply {
        .ok(try Wire.decode(JSONValue.self, from: Wire.encode(params)))
    }

    /// A refusal with a sentence for whoever reads the log.
    package static func refused(_ status: Int, _ error: String) -> BusReply {
        BusReply(status: status, params: ["error": .string(error)])
    }
}

/// Answers one method of a target.
package typealias RequestHandler = @concurrent @Sendable (BusRequest) async -> BusReply
