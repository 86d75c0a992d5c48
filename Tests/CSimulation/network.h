#pragma once
#include "machine.h"
#include <zmq.h>

// The sockets of a simulated libzmq, and the connections between them.

typedef struct {
    void *bytes;
    size_t count;
} frame;

typedef struct message {
    frame *frames;
    size_t count;
    /// Of the connection it came by, which may be gone by now.
    char identity[8];
    struct message *next;
} message;

typedef struct socket_s socket_s;
typedef struct link link;

struct link {
    socket_s *dialer, *listener;
    char *endpoint;
    bool is_up;
    /// Of this connection alone: another one may come to the same place of memory.
    uint64_t number;
    /// Counts the lives of the connection: what was sent in one does not arrive in another.
    uint64_t life;
    uint64_t last_arrival[2];
    uint32_t on_the_way[2];
    char identity[8];
    char **topics;
    size_t topic_count;
    link *next;
};

struct socket_s {
    uint64_t magic;
    int type, process;
    void *context;
    char *endpoint, *monitor_at;
    socket_s *monitor;
    message *first, *last, *reading, *writing;
    size_t read_count;
    char **topics;
    size_t topic_count;
    int32_t room;
    bool is_nodrop, is_closed;
    uint32_t turn;
    socket_s *next;
};

struct network {
    socket_s *sockets;
    link *links;
    uint64_t identities, connections, sent, lost;
    int error;
    bool more;
};

enum { to_listener = 0, to_dialer = 1 };

socket_s *simulated(void *pointer);
void dial(link *one);
/// Takes a connection down; both ends hear of it after a while.
void hang_up(link *one);
/// Puts a message on its way. `false`: the connection is full.
bool transmit(link *one, int direction, message *sent, bool is_feed);
bool has_room(link *one, int direction);
void tell_topic(link *one, const char *topic, size_t count, bool wanted);
bool wants(link *one, const frame *topic);
message *message_of(const frame *frames, size_t count);
void message_add(message *to, const void *bytes, size_t count);
void message_free(message *old);
message *message_copy(const message *old);
void deliver(socket_s *to, message *arrived);
/// The connection of a received message; NULL when it is gone.
link *link_of(const message *received);
