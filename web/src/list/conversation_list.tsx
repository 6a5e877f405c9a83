import { useLingui } from '@lingui/react/macro';
import { useConversations } from '../hooks/conversations';
import { useFormat } from '../i18n/format';
import type { ListParams } from '../store/fold';
import { Avatar, nameOf } from '../ui/avatar';
import { useUi } from '../ui/context';

export function ConversationList() {
  const { t } = useLingui();
  const ui = useUi();
  const format = useFormat();
  const params: ListParams = { phoneNumberId: ui.phoneNumberId, status: 'active', filter: null, sort: 'recent', q: '' };
  const { conversations = [] } = useConversations(params);
  return (
    <ul aria-label={t`Conversations`} className="lc:overflow-y-auto">
      {conversations.map((conversation) => (
        <li key={conversation.id}>
          <button type="button" className="lc:flex lc:w-full lc:items-center lc:gap-3 lc:p-3 lc:hover:bg-hover" onClick={() => ui.openConversation(conversation.id)}>
            <Avatar conversation={conversation} />
            <span className="lc:grow lc:truncate">{nameOf(conversation)}</span>
            <span className="lc:text-xs lc:text-soft">{conversation.last_message_time && format.short(conversation.last_message_time, Date.now())}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
