import { useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { useStore } from '../store/context';
import type { Draft } from '../store/drafts';
import { keys } from '../store/store';

/** The draft of a conversation, and how to change parts of it. */
export function useDraft(conversationId: number): [Draft, (change: Partial<Draft>) => void] {
  const store = useStore();
  const { data } = useQuery({
    queryKey: keys.draft(conversationId),
    queryFn: () => store.drafts.get(conversationId),
    initialData: () => store.drafts.get(conversationId),
    enabled: false,
  });
  const change = useCallback((change: Partial<Draft>) => store.drafts.set(conversationId, change), [store, conversationId]);
  return [data, change];
}

/** The text of each conversation's draft; one with files only has an empty text. */
export function useDrafted(): ReadonlyMap<number, string> {
  const store = useStore();
  const drafted = () => store.drafts.drafted;
  return useQuery({ queryKey: keys.drafted(), queryFn: drafted, initialData: drafted, enabled: false }).data;
}
