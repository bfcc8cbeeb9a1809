/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * token: what an application sees. Slots, tokens, sessions, login, objects and their attributes,
 * mechanisms and operations. Pure PKCS#11 state over the rooms reader and crypto; the functions of
 * src/cryptoki check arguments and call one function here.
 *
 * Two slots per reader (or one, option `slots`), authentication first. Slot ids are never given
 * to another reader and never vanish while the module is open.
 *
 * Locks: one short lock guards the reader and session tables and is never held during card I/O;
 * each reader has a lock that is held while its card works, so readers work side by side. A
 * function that takes a `struct jpki_session` is called with that session held
 * (jpki_session_hold), which is to say with its reader's lock taken; the others take what they
 * need. No lock is held while waiting for events.
 */
#pragma once

#include "jpki/base.h"
#include "jpki/pkcs11.h"
#include "jpki/transport.h"

/* ---- Return values -------------------------------------------------------------------- */

/* The one mapping from the library's errors to Cryptoki return values (2.40, 5.1). */
CK_RV jpki_ckr(enum jpki_error error);

/* ---- Module --------------------------------------------------------------------------- */

/* What makes one shared object differ from the next; each defines `jpki_module_config`. */
struct jpki_module_config {
    const struct jpki_readers_ops *readers;
    unsigned slots; /* JPKI_SLOTS_*: the default of option `slots` */
};
extern const struct jpki_module_config jpki_module_config;

/* Everything between C_Initialize and C_Finalize. */
struct jpki_module;

/* Copies the options. Needs neither pcscd nor a reader, and sends no command.
 * CKR_HOST_MEMORY, CKR_GENERAL_ERROR (OpenSSL fails, or the host has ended it). */
CK_RV jpki_module_open(const struct jpki_readers_ops *readers, const struct jpki_options *options,
                       struct jpki_module **module);

/* Makes every jpki_slot_wait() return CKR_CRYPTOKI_NOT_INITIALIZED, now and later. */
void jpki_module_interrupt(struct jpki_module *module);

/* At the end of a process that did not call C_Finalize: makes the cards forget what we unlocked,
 * and nothing else; OpenSSL and the application's mutexes may be gone by now, and other threads in
 * the midst of calls. Waits `patience` milliseconds in all for cards that are held. */
void jpki_module_abandon(struct jpki_module *module, unsigned patience);

/* Closes all sessions, makes the cards forget what we unlocked, and frees. No other call may be
 * under way. */
void jpki_module_close(struct jpki_module *module);

/* ---- Slots and tokens ----------------------------------------------------------------- */

/* As C_GetSlotList: NULL `list` asks for the number, and looks for new readers. With `present`,
 * only slots whose token answers. A card that is not known yet is recognised first: SELECT, EF
 * 0006, the tries of the keys shown; for a known one nothing is sent. Waits for one second in all
 * while other programs hold cards. */
CK_RV jpki_slot_list(struct jpki_module *module, bool present, CK_SLOT_ID *list, CK_ULONG *count);

/* CKF_TOKEN_PRESENT: a card with this token is there. A card that is not known yet is recognised
 * first, as above; for a known one nothing is sent. */
CK_RV jpki_slot_info(struct jpki_module *module, CK_SLOT_ID id, CK_SLOT_INFO *info);

/* Asks the card for the tries left every time. */
CK_RV jpki_token_info(struct jpki_module *module, CK_SLOT_ID id, CK_TOKEN_INFO *info);

/* As C_GetMechanismList and C_GetMechanismInfo. Read the certificate first, unless it is hidden
 * until login, and ask the card about RSASSA-PSS once, unless option pss says. While the key is
 * hidden its size is told as the sizes that could be handled. */
CK_RV jpki_mechanism_list(struct jpki_module *module, CK_SLOT_ID id, CK_MECHANISM_TYPE *list,
                          CK_ULONG *count);
CK_RV jpki_mechanism_info(struct jpki_module *module, CK_SLOT_ID id, CK_MECHANISM_TYPE type,
                          CK_MECHANISM_INFO *info);

/* The next slot where a card or the reader came or went. CKR_NO_EVENT when `block` is false and
 * there is none. */
CK_RV jpki_slot_wait(struct jpki_module *module, bool block, CK_SLOT_ID *id);

/* CKR_SLOT_ID_INVALID, CKR_TOKEN_NOT_PRESENT or CKR_TOKEN_NOT_RECOGNIZED, or CKR_OK. */
CK_RV jpki_token_check(struct jpki_module *module, CK_SLOT_ID id);

/* ---- Sessions ------------------------------------------------------------------------- */

/* An open session. */
struct jpki_session;

/* As C_OpenSession; `flags` are checked. Errors: those of jpki_token_check. */
CK_RV jpki_session_open(struct jpki_module *module, CK_SLOT_ID slot, CK_FLAGS flags,
                        CK_SESSION_HANDLE *handle);

/* Finds a session and takes its reader's lock, until jpki_session_release(). PC/SC is not asked:
 * what needs no card costs nothing. What does need it looks first whether it is still there. So it
 * is the next such call that says CKR_DEVICE_REMOVED, once; from then on it is
 * CKR_SESSION_HANDLE_INVALID. */
CK_RV jpki_session_hold(struct jpki_module *module, CK_SESSION_HANDLE handle,
                        struct jpki_session **session);
void jpki_session_release(struct jpki_session *session);

/* Still to be released. Closing the last session of a token logs out. */
CK_RV jpki_session_close(struct jpki_session *session);
CK_RV jpki_session_close_all(struct jpki_module *module, CK_SLOT_ID slot);
CK_RV jpki_session_info(const struct jpki_session *session, CK_SESSION_INFO *info);

/* Ends the operations named by CKF_SIGN, CKF_VERIFY, CKF_DIGEST, CKF_FIND_OBJECTS. */
CK_RV jpki_session_cancel(struct jpki_session *session, CK_FLAGS operations);

/* ---- Login ---------------------------------------------------------------------------- */

/* CKU_USER or CKU_CONTEXT_SPECIFIC; CKU_SO is refused. The PIN is checked for form before anything
 * is sent, and one that cannot be right is CKR_PIN_INCORRECT. NULL: it is typed at the reader, else
 * CKR_ARGUMENTS_BAD. */
CK_RV jpki_login(struct jpki_session *session, CK_USER_TYPE user, const CK_UTF8CHAR *pin,
                 CK_ULONG length);
CK_RV jpki_logout(struct jpki_session *session);

/* Changes the PIN; needs no login. Form and rules of the new one first, then the form of the old:
 * CKR_PIN_LEN_RANGE, CKR_PIN_INVALID, and nothing was sent. A wrong old one costs its try. With
 * CKR_DEVICE_ERROR or CKR_DEVICE_REMOVED the log says whether the state of the PIN is unknown. */
CK_RV jpki_set_pin(struct jpki_session *session, const CK_UTF8CHAR *old_pin, CK_ULONG old_length,
                   const CK_UTF8CHAR *new_pin, CK_ULONG new_length);

/* ---- Objects -------------------------------------------------------------------------- */

/* As C_FindObjectsInit, C_FindObjects and C_FindObjectsFinal. The first reads of the card what the
 * template asks for and is not known. */
CK_RV jpki_find_begin(struct jpki_session *session, const CK_ATTRIBUTE *template, CK_ULONG count);
CK_RV jpki_find_next(struct jpki_session *session, CK_OBJECT_HANDLE *objects, CK_ULONG most,
                     CK_ULONG *count);
CK_RV jpki_find_end(struct jpki_session *session);
/* As C_GetAttributeValue and C_GetObjectSize. */
CK_RV jpki_object_get(struct jpki_session *session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *template,
                      CK_ULONG count);
CK_RV jpki_object_size(struct jpki_session *session, CK_OBJECT_HANDLE object, CK_ULONG *size);

/* CKR_OBJECT_HANDLE_INVALID, or CKR_OK. */
CK_RV jpki_object_check(struct jpki_session *session, CK_OBJECT_HANDLE object);

/* ---- Operations ----------------------------------------------------------------------- */

/* After an error the caller ends the operation with jpki_operation_cancel(), unless it is
 * CKR_BUFFER_TOO_SMALL. */

/* What a session can be in the midst of, one of each kind at a time. */
enum jpki_operation { JPKI_SIGNING, JPKI_VERIFYING, JPKI_DIGESTING, JPKI_OPERATIONS };

/* Starts an operation; `key` is ignored for a digest. */
CK_RV jpki_operation_begin(struct jpki_session *session, enum jpki_operation kind,
                           const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key);

/* Whether one is under way, else CKR_OPERATION_NOT_INITIALIZED. */
CK_RV jpki_operation_check(struct jpki_session *session, enum jpki_operation kind);
CK_RV jpki_operation_cancel(struct jpki_session *session, enum jpki_operation kind);

/* Feeds a part. */
CK_RV jpki_operation_update(struct jpki_session *session, enum jpki_operation kind,
                            const CK_BYTE *part, CK_ULONG length);

/* Ends a signature or a digest: with `data` the one-shot form, with NULL after updates. NULL
 * `out` asks for the length; that, and CKR_BUFFER_TOO_SMALL, leave the operation alive. */
CK_RV jpki_operation_finish(struct jpki_session *session, enum jpki_operation kind,
                            const CK_BYTE *data, CK_ULONG length, CK_BYTE *out,
                            CK_ULONG *out_length);

/* Ends a verification; `data` as above. CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE. */
CK_RV jpki_operation_verify(struct jpki_session *session, const CK_BYTE *data, CK_ULONG length,
                            const CK_BYTE *signature, CK_ULONG signature_length);
