/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "internal.h"

bool pcsc_service_lost(LONG error)
{
    return error == SCARD_E_NO_SERVICE || error == SCARD_E_SERVICE_STOPPED ||
           error == SCARD_E_INVALID_HANDLE || error == SCARD_F_COMM_ERROR ||
           error == SCARD_F_INTERNAL_ERROR;
}

bool pcsc_card_lost(LONG error)
{
    return pcsc_service_lost(error) || error == SCARD_W_REMOVED_CARD ||
           error == SCARD_E_NO_SMARTCARD || error == SCARD_E_READER_UNAVAILABLE ||
           error == SCARD_E_UNKNOWN_READER || error == SCARD_W_UNPOWERED_CARD ||
           error == SCARD_W_UNRESPONSIVE_CARD;
}

enum jpki_error pcsc_error(const char *call, LONG error, bool connected)
{
    if (error == SCARD_S_SUCCESS)
        return JPKI_OK;
    jpki_log(JPKI_LOG_INFO, "%s: %s", call, pcsc_stringify_error(error));
    if (connected && pcsc_card_lost(error))
        return JPKI_ERR_CARD_CHANGED;
    if (pcsc_card_lost(error))
        return pcsc_service_lost(error) ? JPKI_ERR_NO_SERVICE : JPKI_ERR_NO_CARD;
    if (error == SCARD_E_SHARING_VIOLATION)
        return JPKI_ERR_BUSY;
    return error == SCARD_E_NO_MEMORY ? JPKI_ERR_MEMORY : JPKI_ERR_TRANSPORT;
}
