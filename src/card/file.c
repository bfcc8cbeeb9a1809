/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files of the application: naming them, and reading them. */
#include "internal.h"

/* A file of JPKI_FILE_MAX in full blocks, and as many again where a card gives short ones. */
enum { BLOCK = 256, READS_MAX = 2 * JPKI_FILE_MAX / BLOCK };

/* What a status word means where a command has no rules of its own. */
static enum jpki_error sw_error(uint16_t sw)
{
    if (sw == SW_NOT_VERIFIED)
        return JPKI_ERR_NOT_VERIFIED;
    if (sw == SW_NO_FILE)
        return JPKI_ERR_NOT_FOUND;
    return sw == SW_OK ? JPKI_OK : JPKI_ERR_CARD;
}

enum jpki_error select_file(struct jpki_card *card, uint16_t file)
{
    uint8_t id[2] = {(uint8_t)(file >> 8), (uint8_t)file};
    /* Only P1=02 works. P2=0C: no answer data wanted (card.md, Application). */
    struct command command = make_command(0x00, INS_SELECT, 0x02, 0x0C, id, sizeof id, 0);
    struct answer answer;
    card->current = 0;
    enum jpki_error error = exchange(card, &command, &answer);
    if (error == JPKI_OK)
        error = sw_error(answer.sw);
    if (error == JPKI_OK)
        card->current = file;
    return error;
}

bool tries_short_id(const struct jpki_card *card, enum use use)
{
    bool refused = false;
    for (int i = 0; i < USES; i++)
        refused |= card->short_ids[i] == SHORT_IDS_REFUSED;
    return use != USE_CHANGE && (!refused || card->short_ids[use] == SHORT_IDS_WORK);
}

enum jpki_error send_to_file(struct jpki_card *card, enum use use, uint16_t file,
                             const struct command *plain, bool (*done)(uint16_t sw),
                             struct answer *answer)
{
    bool try = tries_short_id(card, use);
    uint16_t refusal = 0;
    if (try) {
        struct command named = *plain; /* in P1 of READ BINARY, in P2 of all others */
        named.bytes[named.bytes[1] == INS_READ_BINARY ? 2 : 3] |= (uint8_t)(0x80 | file);
        enum jpki_error error = exchange(card, &named, answer);
        if (error != JPKI_OK)
            return error;
        refusal = answer->sw;
        if (done(refusal)) {
            card->short_ids[use] = SHORT_IDS_WORK;
            card->current = file;
            return JPKI_OK;
        }
    }
    /* After a refusal there is no telling which file is current. */
    bool current = !try && card->current == file;
    enum jpki_error error = current ? JPKI_OK : select_file(card, file);
    if (error == JPKI_OK)
        error = exchange(card, plain, answer);
    if (error == JPKI_OK && try && answer->sw != refusal) /* it was because of the identifier */
        card->short_ids[use] = SHORT_IDS_REFUSED;
    return error;
}

/* The answer is that of a READ BINARY that reached the file. */
static bool was_read(uint16_t sw)
{
    return sw == SW_OK || sw == SW_END_OF_FILE;
}

/* The answer of cards that do not give fewer bytes than were asked for (card.md, Commands). */
static bool passes_the_end(uint16_t sw)
{
    return sw == SW_WRONG_LENGTH || sw == SW_WRONG_OFFSET;
}

enum jpki_error read_start(struct jpki_card *card, uint16_t file, size_t wanted, size_t least,
                           struct answer *answer)
{
    struct command command = make_command(0x00, INS_READ_BINARY, 0, 0, NULL, 0, wanted);
    enum jpki_error error = send_to_file(card, USE_READ, file, &command, was_read, answer);

    /* Some cards do not shorten a read that passes the end of the file: ask for less. */
    if (error == JPKI_OK && passes_the_end(answer->sw)) {
        command = make_command(0x00, INS_READ_BINARY, 0, 0, NULL, 0, least);
        error = exchange(card, &command, answer);
        if (error == JPKI_OK && passes_the_end(answer->sw))
            return JPKI_ERR_NOT_FOUND; /* not even those: empty */
    }
    if (error != JPKI_OK)
        return error;
    if (!was_read(answer->sw))
        return sw_error(answer->sw);
    return answer->length > 0 ? JPKI_OK : JPKI_ERR_NOT_FOUND;
}

/* Reads one block more of a file that was begun. */
static enum jpki_error read_block(struct jpki_card *card, uint16_t file, size_t total,
                                  struct jpki_buffer *content)
{
    /* Where the file is not current any more, a short identifier makes it so again, with an offset
     * of one byte only (card.md, Commands): what is read twice is dropped, if anything is new. */
    bool named = card->current != file && card->short_ids[USE_READ] == SHORT_IDS_WORK &&
                 content->length < 0xFF + BLOCK;
    size_t offset = named && content->length > 0xFF ? 0xFF : content->length;
    uint8_t p1 = (uint8_t)(named ? 0x80 | file : offset >> 8);
    enum jpki_error error = named || card->current == file ? JPKI_OK : select_file(card, file);
    size_t wanted = total - offset < BLOCK ? total - offset : BLOCK;
    struct command command =
        make_command(0x00, INS_READ_BINARY, p1, (uint8_t)offset, NULL, 0, wanted);
    struct answer answer;
    if (error == JPKI_OK)
        error = exchange(card, &command, &answer);
    if (error != JPKI_OK)
        return error;
    if (!was_read(answer.sw))
        return answer.sw == SW_NOT_VERIFIED ? JPKI_ERR_NOT_VERIFIED : JPKI_ERR_CARD;
    card->current = file;

    size_t known = content->length - offset;
    if (answer.length > wanted)
        answer.length = wanted;
    if (answer.length <= known)
        return JPKI_ERR_CARD; /* a file shorter than its DER header says */
    return jpki_buffer_append(content, answer.data + known, answer.length - known, JPKI_FILE_MAX)
               ? JPKI_OK
               : JPKI_ERR_MEMORY;
}

/* The first block of a certificate file; filler without a DER header is none (card.md, Files). */
static enum jpki_error read_first(struct jpki_card *card, uint16_t file,
                                  struct jpki_buffer *content)
{
    struct answer start;
    enum jpki_error error = read_start(card, file, BLOCK, 4, &start);
    if (error != JPKI_OK)
        return error;
    size_t total = jpki_der_length(start.data, start.length);
    if (total == 0)
        return JPKI_ERR_NOT_FOUND;
    if (total > JPKI_FILE_MAX)
        return JPKI_ERR_CARD;
    if (start.length > total)
        start.length = total;
    return jpki_buffer_append(content, start.data, start.length, JPKI_FILE_MAX) ? JPKI_OK
                                                                                : JPKI_ERR_MEMORY;
}

enum jpki_error jpki_card_read_certificate(struct jpki_card *card, uint16_t file, size_t upto,
                                           struct jpki_buffer *content)
{
    enum jpki_error error = content->length == 0 ? read_first(card, file, content) : JPKI_OK;
    if (error != JPKI_OK)
        return error;
    size_t total = jpki_der_length(content->data, content->length);
    size_t end = upto < total ? upto : total;
    for (int reads = 0; content->length < end && error == JPKI_OK; reads++)
        error = reads < READS_MAX ? read_block(card, file, total, content) : JPKI_ERR_CARD;
    return error;
}
