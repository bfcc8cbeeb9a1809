/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The commands of jpki-tool trace, in the forms of which cards are known to differ (card.md). None
 * carries a PIN, signs, or changes anything: is_harmless() looks at each once more before it is
 * sent. A file is read in the blocks in which the module reads it, so that a virtual card that
 * plays the trace can answer the module.
 */
#include "trace/trace.h"

#include <string.h>
#include <time.h>

/* card.md, Commands, Files and Other applications. */
enum {
    SELECT = 0xA4,
    READ_BINARY = 0xB0,
    READ_RECORD = 0xB2,
    GET_RESPONSE = 0xC0,
    GET_CHALLENGE = 0x84,
    VERIFY = 0x20,
    EF_TOKEN_INFO = 0x0006,
    EF_MAP = 0x0008,
    EF_COMMON = 0x0001,
    BLOCK = 256,
    LISTING_LE = 160, /* how many bytes of EF 0006 the module reads */
    LABEL_LE = 32,    /* where the card refuses that */
};

/* The script as it goes. */
struct script {
    struct trace *trace;
    struct jpki_transport transport;
    uint16_t first_sw, sw; /* of the last step: its first and its last answer */
    size_t got;            /* bytes of data, in all */
};

/* ---- One command ------------------------------------------------------------------------ */

/* The last look at a command. A VERIFY has four bytes, or five of which the last is a Le of 00:
 * over T=0 any other fifth byte would be the length of a PIN. */
static bool is_harmless(const uint8_t *command, size_t length)
{
    static const uint8_t reading[] = {SELECT, READ_BINARY, READ_RECORD, GET_RESPONSE,
                                      GET_CHALLENGE};
    if (length < 4 || command[0] != 0x00)
        return false;
    if (command[1] == VERIFY)
        return length == 4 || (length == 5 && command[4] == 0x00);
    return memchr(reading, command[1], sizeof reading) != NULL;
}

static int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static struct content *new_content(struct script *script, enum content_kind kind)
{
    struct trace *trace = script->trace;
    if (trace->content_count == TRACE_CONTENTS)
        return NULL;
    struct content *content = &trace->contents[trace->content_count++];
    content->kind = kind;
    return content;
}

/* Puts the data of an answer to its file, behind or over what is known of that. */
static bool keep_data(struct script *script, struct exchange *exchange, const uint8_t *data,
                      struct content *content, size_t offset)
{
    if (content == NULL || offset > content->bytes.length)
        content = new_content(script, CONTENT_UNKNOWN), offset = 0;
    if (content == NULL)
        return false;
    size_t known = content->bytes.length - offset;
    known = known < exchange->count ? known : exchange->count;
    exchange->differs = known > 0 && memcmp(content->bytes.data + offset, data, known) != 0;
    exchange->content = content;
    exchange->offset = offset;
    return known == exchange->count ||
           jpki_buffer_append(&content->bytes, data + known, exchange->count - known,
                              2 * (size_t)JPKI_FILE_MAX);
}

/* Sends one command once. False: the script ends here. */
static bool transmit(struct script *script, const char *title, const uint8_t *command,
                     size_t length, struct content *content, size_t offset)
{
    struct trace *trace = script->trace;
    uint8_t answer[JPKI_ANSWER_MAX];
    size_t answer_length = sizeof answer;
    if (trace->count == TRACE_EXCHANGES || length > TRACE_COMMAND_MAX ||
        !is_harmless(command, length))
        return false;
    struct exchange *exchange = &trace->exchanges[trace->count++];
    (void)snprintf(exchange->title, sizeof exchange->title, "%s", title);
    memcpy(exchange->command, command, length);
    exchange->length = length;
    int64_t begin = now_us();
    exchange->error = script->transport.ops->transmit(script->transport.self, command, length,
                                                      answer, &answer_length);
    exchange->microseconds = now_us() - begin;
    if (exchange->error == JPKI_OK && (answer_length < 2 || answer_length > sizeof answer))
        exchange->error = JPKI_ERR_CARD;
    if (exchange->error != JPKI_OK)
        return false;
    exchange->count = answer_length - 2;
    exchange->sw = (uint16_t)(answer[exchange->count] << 8 | answer[exchange->count + 1]);
    script->sw = exchange->sw;
    script->got += exchange->count;
    bool kept = exchange->count == 0 || keep_data(script, exchange, answer, content, offset);
    explicit_bzero(answer, sizeof answer);
    return kept;
}

/* A command and what belongs to it: the right Le where the card says 6Cxx, and the data that 61xx
 * announces. A VERIFY is one command. */
static bool step(struct script *script, const char *title, const uint8_t *command, size_t length,
                 struct content *content, size_t offset)
{
    script->got = 0;
    if (!transmit(script, title, command, length, content, offset))
        return false;
    script->first_sw = script->sw;
    if (command[1] == VERIFY)
        return true;
    if (script->sw >> 8 == 0x6C && length == 5) {
        uint8_t corrected[5];
        memcpy(corrected, command, sizeof corrected);
        corrected[4] = (uint8_t)script->sw;
        if (!transmit(script, "", corrected, sizeof corrected, content, offset))
            return false;
    }
    for (int i = 0; i < JPKI_GET_RESPONSE_MAX && script->sw >> 8 == 0x61; i++) {
        const uint8_t rest[] = {0x00, GET_RESPONSE, 0x00, 0x00, (uint8_t)script->sw};
        if (!transmit(script, "", rest, sizeof rest, content, offset + script->got))
            return false;
    }
    return true;
}

/* ---- SELECT ----------------------------------------------------------------------------- */

/* With data: an application by its name (P1=04), or a file (P1=02). `le`: with a Le of 00. */
static bool select_by(struct script *script, const char *title, uint8_t p1, uint8_t p2,
                      const uint8_t *data, size_t length, bool le)
{
    uint8_t command[TRACE_COMMAND_MAX] = {0x00, SELECT, p1, p2, (uint8_t)length};
    memcpy(command + 5, data, length);
    struct content *content = new_content(script, CONTENT_TEMPLATE);
    if (content == NULL)
        return false;
    content->asked_length = 5 + length;
    memcpy(content->asked, command, content->asked_length);
    return step(script, title, command, 5 + length + le, content, 0);
}

static bool select_application(struct script *script, const char *title, const uint8_t *name)
{
    return select_by(script, title, 0x04, 0x0C, name, JPKI_APPLICATION_NAME, false);
}

static bool select_file(struct script *script, uint16_t file)
{
    uint8_t id[] = {(uint8_t)(file >> 8), (uint8_t)file};
    char title[TRACE_TITLE];
    (void)snprintf(title, sizeof title, "EF %04X: SELECT", file);
    return select_by(script, title, 0x02, 0x0C, id, sizeof id, false);
}

/* The last SELECT has done it (card.md, Application). */
static bool is_selected(const struct script *script)
{
    return script->first_sw == 0x9000 || script->first_sw >> 8 == 0x61;
}

/* ---- Files ------------------------------------------------------------------------------ */

enum reading { BY_SHORT_ID, SELECTED };

static bool was_read(const struct script *script)
{
    return script->got > 0 && (script->sw == 0x9000 || script->sw == 0x6282);
}

/* READ BINARY of `count` bytes, 256 at most. */
static bool read_block(struct script *script, uint16_t file, enum reading how, size_t offset,
                       size_t count, struct content *content)
{
    uint8_t p1 = (uint8_t)(how == BY_SHORT_ID ? 0x80 | file : offset >> 8);
    const uint8_t command[] = {0x00, READ_BINARY, p1, (uint8_t)offset, (uint8_t)count};
    char title[TRACE_TITLE];
    (void)snprintf(title, sizeof title, "EF %04X: READ BINARY%s, %zu bytes from %zu", file,
                   how == BY_SHORT_ID ? " by short identifier" : "", count, offset);
    return step(script, title, command, sizeof command, content, offset);
}

/* The beginning of a file; where the card refuses so many bytes, as few as will do, but not after a
 * short identifier: which file is current then is not known. */
static bool read_start(struct script *script, uint16_t file, enum reading how, size_t count,
                       size_t least, struct content *content)
{
    if (!read_block(script, file, how, 0, count, content))
        return false;
    bool passes_the_end = script->sw == 0x6700 || script->sw == 0x6B00;
    return !passes_the_end || how != SELECTED ||
           read_block(script, file, SELECTED, 0, least, content);
}

/* A small file, in both ways. */
static bool read_small(struct script *script, uint16_t file, enum content_kind kind, size_t count,
                       size_t least)
{
    struct content *content = new_content(script, kind);
    return read_start(script, file, BY_SHORT_ID, count, least, content) &&
           select_file(script, file) &&
           (!is_selected(script) || read_start(script, file, SELECTED, count, least, content));
}

/* The rest of the current file, of which a block is known, up to the end of the certificate; then
 * over its end, and behind it. */
static bool read_rest(struct script *script, uint16_t file, struct content *content)
{
    size_t total = jpki_der_length(content->bytes.data, content->bytes.length);
    if (total == 0 || total > JPKI_FILE_MAX)
        return true;
    while (content->bytes.length < total) {
        size_t left = total - content->bytes.length, before = content->bytes.length;
        if (!read_block(script, file, SELECTED, before, left < BLOCK ? left : BLOCK, content))
            return false;
        if (content->bytes.length == before) /* shorter than its header says */
            return true;
    }
    return read_block(script, file, SELECTED, (total - 1) / BLOCK * BLOCK, BLOCK, content) &&
           read_block(script, file, SELECTED, total, BLOCK, content);
}

static bool read_certificate(struct script *script, uint16_t file)
{
    struct content *content = new_content(script, CONTENT_CERTIFICATE);
    bool whole = false;
    for (enum reading how = BY_SHORT_ID; how <= SELECTED; how++) {
        if (how == SELECTED && !select_file(script, file))
            return false;
        if (how == SELECTED && !is_selected(script))
            return true;
        if (!read_start(script, file, how, BLOCK, 4, content))
            return false;
        if (!whole && was_read(script) && !read_rest(script, file, content))
            return false;
        whole |= content != NULL && content->bytes.length > 0;
    }
    return true;
}

/* The tries left of a PIN of the current application: a VERIFY without data, in its four forms. */
static bool ask_tries(struct script *script, uint16_t file)
{
    char title[TRACE_TITLE];
    const uint8_t named[] = {0x00, VERIFY, 0x00, (uint8_t)(0x80 | file), 0x00};
    static const uint8_t plain[] = {0x00, VERIFY, 0x00, 0x80, 0x00};
    (void)snprintf(title, sizeof title, "PIN %04X: tries left by short identifier", file);
    for (size_t length = 4; length <= 5; length++)
        if (!step(script, title, named, length, NULL, 0))
            return false;
    if (!select_file(script, file))
        return false;
    (void)snprintf(title, sizeof title, "PIN %04X: tries left", file);
    for (size_t length = 4; length <= 5 && is_selected(script); length++) {
        uint16_t selected = script->first_sw;
        if (!step(script, title, plain, length, NULL, 0))
            return false;
        script->first_sw = selected;
    }
    return true;
}

/* ---- Applications ----------------------------------------------------------------------- */

static const uint8_t *jpki_name(void)
{
    return jpki_profiles[JPKI_KEY_AUTH].application;
}

/* Ways to select what is selected already. The last one is the usual one: what the others leave
 * behind is not known. */
static bool try_selects(struct script *script)
{
    static const uint8_t master_file[] = {0x00, SELECT, 0x00, 0x00};
    const size_t length = JPKI_APPLICATION_NAME;
    return select_by(script, "SELECT of the application, P2=0C with Le", 0x04, 0x0C, jpki_name(),
                     length, true) &&
           select_by(script, "SELECT of the application, P2=00 with Le", 0x04, 0x00, jpki_name(),
                     length, true) &&
           select_by(script, "SELECT of the application, P2=00", 0x04, 0x00, jpki_name(), length,
                     false) &&
           step(script, "SELECT of the master file", master_file, sizeof master_file, NULL, 0) &&
           select_application(script, "SELECT of the JPKI application, again", jpki_name());
}

static bool read_jpki(struct script *script)
{
    static const uint8_t challenge[] = {0x00, GET_CHALLENGE, 0x00, 0x00, 0x08};
    if (!try_selects(script) ||
        !read_small(script, EF_TOKEN_INFO, CONTENT_TOKEN_INFO, LISTING_LE, LABEL_LE) ||
        !read_small(script, EF_MAP, CONTENT_MAP, 3, 1))
        return false;
    for (enum jpki_key key = 0; key < JPKI_KEYS; key++) {
        const struct jpki_profile *profile = &jpki_profiles[key];
        if (!read_certificate(script, profile->certificate) ||
            !read_certificate(script, profile->ca) || !ask_tries(script, profile->pin))
            return false;
    }
    return step(script, "GET CHALLENGE", challenge, sizeof challenge, NULL, 0);
}

/* Until when the card is valid is in a record of the common application. */
static bool read_record(struct script *script)
{
    static const uint8_t command[] = {0x00, READ_RECORD, 0x01, 0x04, 0x00};
    if (!select_file(script, EF_COMMON))
        return false;
    return !is_selected(script) || step(script, "EF 0001: READ RECORD 1", command, sizeof command,
                                        new_content(script, CONTENT_RECORD), 0);
}

static bool read_others(struct script *script)
{
    static const uint8_t common[] = {0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x01, 0x00},
                         face[] = {0xD3, 0x92, 0x10, 0x00, 0x31, 0x00, 0x01, 0x01, 0x04, 0x02};
    const struct jpki_profile *resident = &jpki_profiles[JPKI_PIN_RESIDENT],
                              *input = &jpki_profiles[JPKI_PIN_INPUT];
    if (!select_application(script, "SELECT of the common application", common) ||
        (is_selected(script) && !read_record(script)))
        return false;
    if (!select_application(script, "SELECT of the resident register application",
                            resident->application) ||
        (is_selected(script) && !ask_tries(script, resident->pin)))
        return false;
    if (!select_application(script, "SELECT of the input support application",
                            input->application) ||
        (is_selected(script) && !ask_tries(script, input->pin)))
        return false;
    return select_application(script, "SELECT of the card face application", face) &&
           select_application(script, "SELECT of the JPKI application, from another", jpki_name());
}

/* The first command after power-up may be answered 6F00 once (card.md, All commands). */
static void run_script(struct script *script)
{
    bool sent = select_application(script, "SELECT of the JPKI application", jpki_name());
    if (sent && script->sw == 0x6F00)
        sent = select_application(script, "SELECT of the JPKI application, again", jpki_name());
    if (sent && is_selected(script))
        sent = read_jpki(script);
    if (sent)
        (void)read_others(script);
}

enum jpki_error trace_run(struct trace *trace, struct jpki_transport transport)
{
    struct script script = {.trace = trace, .transport = transport};
    enum jpki_card_event event;
    enum jpki_error error = transport.ops->begin(transport.self, JPKI_LISTING_PATIENCE, &event);
    if (error != JPKI_OK)
        return error;
    (void)transport.ops->end(transport.self, JPKI_POWER_OFF);
    error = transport.ops->begin(transport.self, JPKI_LISTING_PATIENCE, &event);
    if (error != JPKI_OK)
        return error;
    run_script(&script);
    (void)transport.ops->end(transport.self, JPKI_LEAVE);
    return JPKI_OK;
}
