import CCurl
import Foundation

/// One request under way. Lives on curl's thread only.
final class Transfer {
    let easy: UnsafeMutableRawPointer?
    private let submission: Submission
    private var lines: UnsafeMutablePointer<curl_slist>?
    private var head = HTTPHead(status: 0)
    private var isHeadTold = false
    private var isTooLarge = false
    /// Refused because of where its name led.
    private var isInside = false

    init(_ submission: Submission) {
        self.submission = submission
        easy = curl_easy_init()
    }

    deinit {
        if let easy { curl_easy_cleanup(easy) }
        curl_slist_free_all(lines)
    }

    /// `false` when it ended at once.
    func begin(in multi: UnsafeMutableRawPointer) -> Bool {
        guard !submission.ticket.isCanceled else {
            submission.sink.end(.canceled)
            return false
        }
        guard let easy, configure(easy), curl_multi_add_handle(multi, easy) == CURLM_OK else {
            submission.sink.end(.other("libcurl refused the request to \(submission.request.place)"))
            return false
        }
        return true
    }

    func end(in multi: UnsafeMutableRawPointer, with error: HTTPClientError?) {
        if let easy { curl_multi_remove_handle(multi, easy) }
        if error == nil { tellHead() }
        submission.sink.end(error)
    }

    func resume() {
        if let easy { curl_easy_pause(easy, CURLPAUSE_CONT) }
    }

    func error(for code: CURLcode) -> HTTPClientError? {
        let place = submission.request.place
        switch code {
        case CURLE_OK: return nil
        case _ where isInside: return .other("\(place) is this machine or in a private network")
        case CURLE_COULDNT_CONNECT: return .refused(place)
        case CURLE_OPERATION_TIMEDOUT: return .timeout(place)
        case CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE: return .lost(place)
        case CURLE_WRITE_ERROR where isTooLarge: return .tooLarge(limit: submission.request.maxResponseBytes)
        default: return .other("\(place): \(String(cString: curl_easy_strerror(code)))")
        }
    }
}

// MARK: - What curl is told

extension Transfer {
    private func configure(_ easy: UnsafeMutableRawPointer) -> Bool {
        let request = submission.request
        let context = Unmanaged.passUnretained(self).toOpaque()
        let receiveHeader: martlet_curl_receive = { bytes, size, count, context in
            Transfer.from(context).header(bytes, size * count)
        }
        let receiveBody: martlet_curl_receive = { bytes, size, count, context in
            Transfer.from(context).body(bytes, size * count)
        }
        var codes: [CURLcode] = [
            // Signals would hit the whole service.
            martlet_curl_set_long(easy, CURLOPT_NOSIGNAL, 1),
            martlet_curl_set_text(easy, CURLOPT_PROTOCOLS_STR, "http,https"),
            martlet_curl_set_text(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https"),
            martlet_curl_set_text(easy, CURLOPT_URL, request.url),
            martlet_curl_set_text(easy, CURLOPT_USERAGENT, "martlet"),
            // A gateway hands paths on as they came.
            martlet_curl_set_long(easy, CURLOPT_PATH_AS_IS, 1),
            martlet_curl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, max(1, request.connectTimeout.milliseconds)),
            martlet_curl_set_long(easy, CURLOPT_TIMEOUT_MS, request.timeout.map { max(1, $0.milliseconds) } ?? 0),
            martlet_curl_set_receive(easy, CURLOPT_HEADERFUNCTION, receiveHeader, CURLOPT_HEADERDATA, context),
            martlet_curl_set_receive(easy, CURLOPT_WRITEFUNCTION, receiveBody, CURLOPT_WRITEDATA, context),
        ]
        if let stall = request.stallTimeout {
            codes.append(martlet_curl_set_long(easy, CURLOPT_LOW_SPEED_LIMIT, 1))
            codes.append(martlet_curl_set_long(easy, CURLOPT_LOW_SPEED_TIME, max(1, stall.milliseconds / 1000)))
        }
        if request.maxRedirects > 0 {
            codes.append(martlet_curl_set_long(easy, CURLOPT_FOLLOWLOCATION, 1))
            codes.append(martlet_curl_set_long(easy, CURLOPT_MAXREDIRS, request.maxRedirects))
        }
        if request.isLoopback || request.onlyPublic {
            codes.append(martlet_curl_set_text(easy, CURLOPT_NOPROXY, "*"))
        }
        if request.onlyPublic {
            codes.append(
                martlet_curl_set_open(easy, { context, _, address in Transfer.from(context).open(address) }, context))
        }
        if let socket = request.unixSocket {
            codes.append(martlet_curl_set_text(easy, CURLOPT_UNIX_SOCKET_PATH, socket))
        }
        codes += configureMethod(easy, request)
        return codes.allSatisfy { $0 == CURLE_OK }
    }

    private func configureMethod(_ easy: UnsafeMutableRawPointer, _ request: HTTPRequest) -> [CURLcode] {
        var codes: [CURLcode] = []
        let method = request.method.uppercased()
        if method == "HEAD" { codes.append(martlet_curl_set_long(easy, CURLOPT_NOBODY, 1)) }
        if method != "HEAD", request.body != nil || ["POST", "PUT", "PATCH"].contains(method) {
            let body = request.body ?? Data()
            codes.append(martlet_curl_set_long(easy, CURLOPT_POST, 1))
            codes.append(
                body.withUnsafeBytes { bytes in
                    // An empty buffer may have no address, and without one curl would ask a read callback.
                    if let start = bytes.baseAddress {
                        return martlet_curl_set_body(easy, start, curl_off_t(bytes.count))
                    }
                    return martlet_curl_set_body(easy, "", 0)
                })
        }
        if method != "HEAD" { codes.append(martlet_curl_set_text(easy, CURLOPT_CUSTOMREQUEST, method)) }
        // curl would wait a second for a "100 Continue" that small servers never send, and would guess a content type.
        var headers = ["Expect:"]
        if !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
            headers.append("Content-Type:")
        }
        headers += request.headers.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        for header in headers { lines = curl_slist_append(lines, header) ?? lines }
        codes.append(martlet_curl_set_pointer(easy, CURLOPT_HTTPHEADER, lines))
        return codes
    }
}

// MARK: - What curl tells

extension Transfer {
    private static func from(_ context: UnsafeMutableRawPointer?) -> Transfer {
        guard let context else { preconditionFailure("curl was given this object as the context") }
        return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    }

    /// Asked with what the name was found to mean, just before it is connected to: nobody can change that in between.
    private func open(_ address: UnsafeMutablePointer<curl_sockaddr>?) -> curl_socket_t {
        var bytes = [UInt8](repeating: 0, count: 16)
        guard let address else { return -1 }
        let count = martlet_curl_address(address, &bytes)
        guard PublicAddress.holds(Array(bytes.prefix(count))) else {
            isInside = true
            return -1
        }
        return martlet_curl_socket(address)
    }

    private func header(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        guard let bytes else { return count }
        let line = String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        if line.hasPrefix("HTTP/") {
            // A new head: after "100 Continue" or a redirect the earlier one no longer counts.
            let status = line.split(separator: " ", maxSplits: 2).dropFirst().first.flatMap { Int($0) } ?? 0
            head = HTTPHead(status: status)
        } else if let colon = line.firstIndex(of: ":") {
            let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
            head.headers.append((String(line[..<colon]), value))
        } else if line.isEmpty, head.status >= 200 {
            let isFollowed = submission.request.maxRedirects > 0 && (300..<400).contains(head.status)
            if !isFollowed { tellHead() }
        }
        return count
    }

    private func body(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        guard let bytes, count > 0 else { return count }
        tellHead()
        switch submission.sink.chunk(Data(bytes: bytes, count: count)) {
        case .taken: return count
        case .pause: return martlet_curl_write_pause()
        case .tooLarge:
            isTooLarge = true
            return 0
        }
    }

    private func tellHead() {
        guard !isHeadTold else { return }
        isHeadTold = true
        submission.sink.head(head)
    }
}

extension Duration {
    fileprivate var milliseconds: Int {
        let (seconds, attoseconds) = components
        return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
    }
}
