/* flood EVENTS-ENDPOINT FEED-ENDPOINT SUBSCRIBERS MESSAGES BYTES [SERVER-KEY PUBLIC SECRET]: how fast something passes
   messages from one publisher to its subscribers. The publisher is at most WINDOW messages ahead of the slowest
   subscriber, so that nothing is lost and what is told is what everybody got. */
#include "clock.h"
#include <pthread.h>
#include <stdatomic.h>
#include <zmq.h>

enum { WINDOW = 1000, MOST = 64 };

static const char *events_endpoint, *feed_endpoint, *server_key, *public_key, *secret_key;
static int subscribers, messages, bytes;
static atomic_int seen[MOST];
static atomic_int subscribed;
static void *context;

static void encrypt(void *socket) {
    if (!server_key) return;
    zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server_key, 40);
    zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, public_key, 40);
    zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, secret_key, 40);
}

static void *dial(int kind, const char *endpoint) {
    void *socket = zmq_socket(context, kind);
    int hwm = kind == ZMQ_PUB ? 1000 : 4000, linger = 0, nodrop = 1;
    zmq_setsockopt(socket, kind == ZMQ_PUB ? ZMQ_SNDHWM : ZMQ_RCVHWM, &hwm, sizeof hwm);
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    if (kind == ZMQ_PUB) zmq_setsockopt(socket, ZMQ_XPUB_NODROP, &nodrop, sizeof nodrop);
    encrypt(socket);
    if (kind == ZMQ_SUB) zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "e/flood/", 8);
    if (zmq_connect(socket, endpoint)) fail("connect", zmq_strerror(zmq_errno()));
    return socket;
}

static void *subscribe(void *which) {
    int index = (int)(intptr_t)which;
    void *socket = dial(ZMQ_SUB, feed_endpoint);
    int timeout = 20000;
    zmq_setsockopt(socket, ZMQ_RCVTIMEO, &timeout, sizeof timeout);
    zmq_msg_t part;
    zmq_msg_init(&part);
    int first = 1;
    while (atomic_load(&seen[index]) < messages) {
        int more = 1, marker = 0;
        while (more) {
            if (zmq_msg_recv(&part, socket, 0) < 0) fail("receive", zmq_strerror(zmq_errno()));
            more = zmq_msg_more(&part);
            if (!more) marker = zmq_msg_size(&part) < 100;
        }
        if (marker && first) atomic_fetch_add(&subscribed, 1), first = 0;
        if (!marker) atomic_fetch_add_explicit(&seen[index], 1, memory_order_relaxed);
    }
    zmq_msg_close(&part);
    zmq_close(socket);
    return NULL;
}

static int slowest(void) {
    int least = messages;
    for (int i = 0; i < subscribers; i++) {
        int count = atomic_load_explicit(&seen[i], memory_order_relaxed);
        if (count < least) least = count;
    }
    return least;
}

static void send_one(void *socket, int n, const char *body, int size) {
    static const char topic[] = "e/flood/com.example.flooded.v1";
    char header[96];
    int length = snprintf(header, sizeof header, "MB1 E %013d %d %032d", 1, n, n);
    zmq_send(socket, topic, sizeof topic - 1, ZMQ_SNDMORE);
    zmq_send(socket, header, (size_t)length, ZMQ_SNDMORE);
    zmq_send(socket, body, (size_t)size, 0);
}

int main(int argc, char **argv) {
    if (argc < 6) fail("usage", "flood EVENTS FEED SUBSCRIBERS MESSAGES BYTES [SERVER-KEY PUBLIC SECRET]");
    events_endpoint = argv[1], feed_endpoint = argv[2];
    subscribers = atoi(argv[3]), messages = atoi(argv[4]), bytes = atoi(argv[5]);
    if (subscribers < 1 || subscribers > MOST) fail("usage", "1 to 64 subscribers");
    if (argc > 8) server_key = argv[6], public_key = argv[7], secret_key = argv[8];
    char *body = malloc((size_t)bytes);
    memset(body, ' ', (size_t)bytes);
    body[0] = '{', body[bytes - 1] = '}';
    context = zmq_ctx_new();
    pthread_t threads[MOST];
    for (int i = 0; i < subscribers; i++) pthread_create(&threads[i], NULL, subscribe, (void *)(intptr_t)i);
    void *socket = dial(ZMQ_PUB, events_endpoint);
    int n = 1;
    for (int64_t patience = monotonic() + 20000000000; atomic_load(&subscribed) < subscribers;) {
        if (monotonic() > patience) fail("flood", "not every subscriber hears the publisher");
        send_one(socket, n++, "{}", 2);
        sleep_until(monotonic() + 10000000);
    }
    delays_t none = {0};
    int64_t begun = monotonic();
    for (int sent = 0; sent < messages; sent++) {
        /* Half a window at a time: looking each time would measure the looking. */
        if (sent % (WINDOW / 2) == 0)
            while (sent - slowest() > WINDOW / 2) sleep_until(monotonic() + 50000);
        send_one(socket, n++, body, bytes);
    }
    for (int i = 0; i < subscribers; i++) pthread_join(threads[i], NULL);
    report(begun, monotonic(), (size_t)messages, &none);
    zmq_close(socket);
    zmq_ctx_term(context);
    return 0;
}
