#pragma once
#include <curl/curl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

// curl_easy_setopt and its kin take `...`, which Swift cannot call: one typed door for each kind of value.

static inline CURLcode martlet_curl_set_long(CURL *easy, CURLoption option, long value) {
    return (curl_easy_setopt)(easy, option, value);
}

static inline CURLcode martlet_curl_set_text(CURL *easy, CURLoption option, const char *value) {
    return (curl_easy_setopt)(easy, option, value);
}

static inline CURLcode martlet_curl_set_pointer(CURL *easy, CURLoption option, void *value) {
    return (curl_easy_setopt)(easy, option, value);
}

// curl copies the bytes; the length has to be known to it first.
static inline CURLcode martlet_curl_set_body(CURL *easy, const void *bytes, curl_off_t length) {
    CURLcode code = (curl_easy_setopt)(easy, CURLOPT_POSTFIELDSIZE_LARGE, length);
    if (code != CURLE_OK) return code;
    return (curl_easy_setopt)(easy, CURLOPT_COPYPOSTFIELDS, bytes);
}

typedef size_t (*martlet_curl_receive)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode martlet_curl_set_receive(
    CURL *easy, CURLoption function, martlet_curl_receive receive, CURLoption pointer, void *context
) {
    CURLcode code = (curl_easy_setopt)(easy, function, receive);
    if (code != CURLE_OK) return code;
    return (curl_easy_setopt)(easy, pointer, context);
}

typedef curl_socket_t (*martlet_curl_open)(void *context, curlsocktype purpose, struct curl_sockaddr *address);

static inline CURLcode martlet_curl_set_open(CURL *easy, martlet_curl_open open, void *context) {
    CURLcode code = (curl_easy_setopt)(easy, CURLOPT_OPENSOCKETFUNCTION, open);
    if (code != CURLE_OK) return code;
    return (curl_easy_setopt)(easy, CURLOPT_OPENSOCKETDATA, context);
}

// The bytes of an IPv4 or IPv6 address, and how many they are; 0 for other families.
static inline size_t martlet_curl_address(const struct curl_sockaddr *address, unsigned char bytes[16]) {
    const void *whole = &address->addr;
    if (address->family == AF_INET) {
        memcpy(bytes, &((const struct sockaddr_in *)whole)->sin_addr, 4);
        return 4;
    }
    if (address->family == AF_INET6) {
        memcpy(bytes, &((const struct sockaddr_in6 *)whole)->sin6_addr, 16);
        return 16;
    }
    return 0;
}

// As curl opens one itself.
static inline curl_socket_t martlet_curl_socket(const struct curl_sockaddr *address) {
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static inline CURLMcode martlet_curl_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return (curl_multi_setopt)(multi, option, value);
}

// Of a CURLMsg only the result's member of the union matters here.
static inline CURLcode martlet_curl_message_result(const CURLMsg *message) {
    return message->data.result;
}

static inline size_t martlet_curl_write_pause(void) {
    return CURL_WRITEFUNC_PAUSE;
}
