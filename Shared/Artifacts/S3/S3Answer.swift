import Foundation
import FoundationXML

/// An answer's XML: each element that has a text, in order, with the elements that it stands in.
struct S3Answer {
    struct Leaf: Equatable {
        var path: [String]
        var text: String

        var name: String { path.last ?? "" }
    }

    let leaves: [Leaf]

    /// `nil` for what is no XML.
    init?(_ bytes: Data) {
        let parser = XMLParser(data: bytes)
        let reader = Reader()
        parser.delegate = reader
        guard parser.parse() else { return nil }
        leaves = reader.leaves
    }

    /// The first text of that name, at any depth.
    func text(_ name: String) -> String? { leaves.first { $0.name == name }?.text }

    /// The members of each element of that name directly below the root.
    func items(_ name: String) -> [[String: String]] {
        var items: [[String: String]] = []
        for leaf in leaves where leaf.path.count == 3 && leaf.path[1] == name {
            if items.isEmpty || items[items.count - 1][leaf.name] != nil { items.append([:]) }
            items[items.count - 1][leaf.name] = leaf.text
        }
        return items
    }

    private final class Reader: NSObject, XMLParserDelegate {
        private(set) var leaves: [Leaf] = []
        private var path: [String] = []
        private var text = ""
        private var isLeaf = false

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String] = [:]
        ) {
            path.append(name)
            text = ""
            isLeaf = true
        }

        func parser(_ parser: XMLParser, foundCharacters string: String) { text += string }

        func parser(
            _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
        ) {
            if isLeaf { leaves.append(Leaf(path: path, text: text)) }
            isLeaf = false
            path.removeLast()
        }
    }
}
