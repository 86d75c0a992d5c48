import Foundation

/// Status line and headers of an answer.
package struct HTTPHead: Sendable {
    package var status: Int
    package var headers: [(name: String, value: String)]

    package init(status: Int, headers: [(name: String, value: String)] = []) {
        self.status = status
        self.headers = headers
    }

    /// The first header of that name, whatever its case.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}

package struct HTTPResponse: Sendable {
    package var head: HTTPHead
    package var body: Data

    package var status: Int { head.status }
    package var headers: [(name: String, value: String)] { head.headers }
    package var isSuccess: Bool { (200..<300).contains(status) }

    package init(head: HTTPHead, body: Data) {
        self.head = head
        self.body = body
    }

    package func header(_ name: String) -> String? { head.header(name) }
}
