/** Packs a recording in WebM anew, as the Ogg with Opus that WhatsApp shows as a voice note: the sound itself stays as it is. */
import { BlobSource, BufferTarget, EncodedAudioPacketSource, EncodedPacketSink, Input, OggOutputFormat, Output, WEBM } from 'mediabunny';

export const VOICE_TYPE = 'audio/ogg; codecs=opus';

export async function toOgg(recording: Blob): Promise<Blob> {
  const input = new Input({ source: new BlobSource(recording), formats: [WEBM] });
  const track = await input.getPrimaryAudioTrack();
  const config = await track?.getDecoderConfig();
  if (!track || !config || track.codec !== 'opus') throw new Error('The recording has no Opus track');
  const target = new BufferTarget();
  const output = new Output({ format: new OggOutputFormat(), target });
  const source = new EncodedAudioPacketSource('opus');
  output.addAudioTrack(source);
  await output.start();
  let meta: EncodedAudioChunkMetadata | undefined = { decoderConfig: config };
  for await (const packet of new EncodedPacketSink(track).packets()) {
    await source.add(packet, meta);
    meta = undefined;
  }
  await output.finalize();
  if (!target.buffer) throw new Error('The recording could not be packed');
  return new Blob([target.buffer], { type: VOICE_TYPE });
}
