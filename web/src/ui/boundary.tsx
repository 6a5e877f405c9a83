/** Keeps a mistake in one part from taking the others, or the host's page, away. */
import { Trans } from '@lingui/react/macro';
import { CircleAlert } from 'lucide-react';
import { Component, type ReactNode } from 'react';
import { Button } from './button';
import { useUi } from './context';

interface Props {
  readonly onError: (error: Error) => void;
  readonly children: ReactNode;
}

class Catcher extends Component<Props, { readonly hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override componentDidCatch(error: unknown) {
    this.props.onError(error instanceof Error ? error : new Error(String(error)));
  }

  override render() {
    if (!this.state.hasFailed) return this.props.children;
    return (
      <div role="alert" className="lc:flex lc:min-h-0 lc:grow lc:flex-col lc:items-center lc:justify-center lc:gap-3 lc:p-6 lc:text-center lc:text-soft">
        <CircleAlert aria-hidden className="lc:size-8 lc:stroke-[1.5]" />
        <p>
          <Trans>Something went wrong here. What you wrote is kept.</Trans>
        </p>
        <Button tone="outline" onClick={() => this.setState({ hasFailed: false })}>
          <Trans>Show it again</Trans>
        </Button>
      </div>
    );
  }
}

/** Another `of` is drawn anew. */
export function Boundary({ of = null, children }: { of?: number | string | null; children: ReactNode }) {
  const { host } = useUi();
  return (
    <Catcher key={of} onError={(error) => host.current.onError?.(error)}>
      {children}
    </Catcher>
  );
}
