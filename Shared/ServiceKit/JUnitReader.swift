import Foundation
import FoundationXML
import Messages

/// Reads a JUnit XML report. What it cannot read is an error: a broken report is no pass.
package enum JUnitReader {
    package static let largest = 64 << 20

    package struct Unreadable: Error, CustomStringConvertible, Hashable {
        package let description: String

        package init(description: String) { self.description = description }
    }

    package static func read(_ bytes: Data) throws(Unreadable) -> TestReport {
        guard bytes.count <= largest else {
            throw Unreadable(description: "the report has \(bytes.count) bytes, more than \(largest)")
        }
        // No report needs a document type, and entities are how XML is made to explode.
        guard bytes.range(of: Data("<!DOCTYPE".utf8)) == nil, bytes.range(of: Data("<!ENTITY".utf8)) == nil else {
            throw Unreadable(description: "the report declares a document type, which is refused")
        }
        let parser = XMLParser(data: bytes)
        let elements = JUnitElements()
        parser.delegate = elements
        // A report that was cut off is not always an error to the parser.
        guard parser.parse(), elements.depth == 0 else {
            let line = parser.lineNumber
            throw Unreadable(description: "the report is not well-formed XML (line \(line))")
        }
        guard elements.hasSuite else {
            throw Unreadable(description: "the report is XML, but holds no testsuite")
        }
        return elements.report
    }
}

/// Collects the cases as the parser meets them. Used by one parser, on one thread, for one call.
private final class JUnitElements: NSObject, XMLParserDelegate {
    var report = TestReport()
    var hasSuite = false
    /// Elements begun and not ended.
    var depth = 0
    private var current: TestReport.Case?
    private var text = ""

    func parser(
        _ parser: XMLParser, didStartElement element: String, namespaceURI: String?, qualifiedName: String?,
        attributes: [String: String]
    ) {
        depth += 1
        switch element {
        case "testsuite", "testsuites": hasSuite = true
        case "testcase":
            let name = [attributes["classname"], attributes["name"]].compactMap { $0 }.filter { !$0.isEmpty }
            current = TestReport.Case(name: name.joined(separator: "."))
        case "failure": mark(.failed, attributes["message"])
        case "error": mark(.error, attributes["message"])
        case "skipped": mark(.skipped, attributes["message"])
        default: return
        }
        text = ""
    }

    func parser(_ parser: XMLParser, foundCharacters string: String) {
        if text.utf8.count < 4_096 { text += string }
    }

    func parser(_ parser: XMLParser, didEndElement element: String, namespaceURI: String?, qualifiedName: String?) {
        depth -= 1
        switch element {
        case "failure", "error":
            if current?.message == nil { current?.message = Self.firstLine(text) }
        case "testcase":
            if let finished = current { report.cases.append(finished) }
            current = nil
        default: return
        }
    }

    /// A case may both fail and break in its teardown: the graver word stays.
    private func mark(_ status: TestReport.Case.Status, _ message: String?) {
        guard current != nil else {
            if status != .skipped { report.suiteErrors += 1 }
            return
        }
        if status == .skipped, current?.status != .passed { return }
        current?.status = status
        if let message, current?.message == nil { current?.message = Self.firstLine(message) }
    }

    private static func firstLine(_ text: String) -> String? {
        text.split(whereSeparator: \.isNewline).first.map { String($0.prefix(300)) }
    }
}
