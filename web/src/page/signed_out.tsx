/** The page for somebody who is not signed in. */
import { useLingui } from '@lingui/react/macro';
import { useEffect } from 'react';
import { SignIn, type SignInWays } from './sign_in';

export function SignedOut({ ways }: { ways: SignInWays }) {
  const { t } = useLingui();
  const title = t`Live chat`;
  useEffect(() => {
    document.title = title;
  }, [title]);
  return <SignIn ways={ways} />;
}
