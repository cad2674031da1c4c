! SPDX-License-Identifier: MIT
!> Checkpoint records on disk: checked byte by byte when read, replaced at one stroke when written.
!>
!> Layout: magic, byte-order mark, format version, number of records; for each record the length of its name, name,
!> kind, rank, shape(2), bytes, data, CRC-32 of all of these but the length of the name.
module fennix_checkpoint_file
   use, intrinsic :: iso_fortran_env, only : int8
   use fennix_kinds, only : i4, i8
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_crc32, only : crc32
   use fennix_files, only : check_size, file_size, path_exists, replace_file
   use fennix_checkpoint_records, only : add_record, checkpoint_type, kind_bytes, record_type
   implicit none
   private
   public :: save_checkpoint, load_checkpoint

   !> The line end shows a file that was transferred as text
   character(len=8), parameter :: magic = "FNXCHK" // char(13) // char(10)
   !> Reads as another number on a machine of the other byte order
   integer(i4), parameter :: byte_order = 16909060_i4
   integer(i4), parameter :: format_version = 1_i4
   !> Bytes before the first record
   integer(i8), parameter :: head_bytes = 20_i8
   integer, parameter :: longest_name = 64

contains


!> Write all records under a temporary name, then replace path; what stood there is kept as path.prev
subroutine save_checkpoint(self, path, error)
   type(checkpoint_type), intent(in) :: self
   character(len=*), intent(in) :: path
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: temporary
   character(len=256) :: reason
   integer :: unit, status, k
   integer(i8) :: bytes

   temporary = trim(path) // ".tmp"
   open(newunit=unit, file=temporary, access="stream", form="unformatted", status="replace", action="write", &
      & iostat=status, iomsg=reason)
   if (status == 0) then
      write(unit, iostat=status, iomsg=reason) magic, byte_order, format_version, int(self%n_records, i4)
      do k = 1, self%n_records
         if (status == 0) call write_record(unit, self%records(k), status, reason)
      end do
      inquire(unit=unit, pos=bytes)
      close(unit)
   end if
   if (status /= 0) then
      call fatal_error(error, "cannot write '" // temporary // "': " // trim(reason))
      return
   end if
   call check_size(temporary, bytes - 1, error)
   if (.not. allocated(error)) call replace_file(temporary, path, error, previous=trim(path) // ".prev")
end subroutine save_checkpoint


subroutine write_record(unit, record, status, reason)
   integer, intent(in) :: unit
   type(record_type), intent(in) :: record
   !> Zero when it was written
   integer, intent(out) :: status
   character(len=*), intent(inout) :: reason

   write(unit, iostat=status, iomsg=reason) len(record%name, i4), record%name, record%kind, record%rank, &
      & record%shape, size(record%bytes, kind=i8), record%bytes, checksum(record)
   if (status /= 0) reason = "record '" // record%name // "': " // reason
end subroutine write_record


!> Read and verify all records
subroutine load_checkpoint(self, path, error)
   type(checkpoint_type), intent(out) :: self
   character(len=*), intent(in) :: path
   type(error_type), allocatable, intent(out) :: error
   character(len=:), allocatable :: complaint
   character(len=256) :: reason
   integer :: unit, status

   self%path = trim(path)
   complaint = ""
   if (.not. path_exists(path)) then
      complaint = "there is no such file"
   else
      open(newunit=unit, file=self%path, access="stream", form="unformatted", status="old", action="read", &
         & iostat=status, iomsg=reason)
      if (status /= 0) then
         complaint = trim(reason)
      else
         call read_all(self, unit, file_size(path), complaint)
         close(unit)
      end if
   end if
   if (len(complaint) == 0) return
   if (path_exists(self%path // ".prev")) complaint = complaint // "; the checkpoint before it is '" // self%path &
      & // ".prev'"
   call fatal_error(error, "cannot resume from '" // self%path // "': " // complaint)
end subroutine load_checkpoint


subroutine read_all(self, unit, total_bytes, complaint)
   type(checkpoint_type), intent(inout) :: self
   integer, intent(in) :: unit
   !> Size of the file
   integer(i8), intent(in) :: total_bytes
   !> Why it cannot be used, empty when it can
   character(len=:), allocatable, intent(out) :: complaint
   type(record_type) :: record
   integer(i4) :: order, version, n_records
   integer(i8) :: used
   character(len=8) :: begin
   integer :: status, k

   complaint = ""
   read(unit, iostat=status) begin, order, version, n_records
   if (status /= 0) then
      complaint = "it is truncated"
   else if (begin /= magic) then
      complaint = "it is not a checkpoint of pyfennix"
   else if (order /= byte_order) then
      complaint = "it was written on a machine of the other byte order"
   else if (version /= format_version) then
      complaint = "it has format " // to_text(version) // ", this program reads format " // to_text(format_version)
   end if
   if (len(complaint) > 0) return

   used = head_bytes
   do k = 1, n_records
      call read_record(unit, total_bytes, used, record, complaint)
      if (len(complaint) > 0) then
         complaint = complaint // " (record " // to_text(k) // " of " // to_text(n_records) // ")"
         return
      end if
      call add_record(self, record)
   end do
   if (used /= total_bytes) complaint = "it is damaged: something follows the last record"
end subroutine read_all


subroutine read_record(unit, total_bytes, used, record, complaint)
   integer, intent(in) :: unit
   integer(i8), intent(in) :: total_bytes
   !> Bytes read so far
   integer(i8), intent(inout) :: used
   type(record_type), intent(out) :: record
   !> Empty when the record is sound
   character(len=:), allocatable, intent(out) :: complaint
   character(len=:), allocatable :: name
   integer(i4) :: name_length, crc
   integer(i8) :: n_bytes
   integer :: status

   complaint = "it is truncated"
   read(unit, iostat=status) name_length
   if (status /= 0) return
   complaint = "it is damaged"
   if (name_length < 1 .or. name_length > longest_name) return
   allocate(character(len=name_length) :: name)
   read(unit, iostat=status) name, record%kind, record%rank, record%shape, n_bytes
   record%name = name
   used = used + 40 + name_length
   complaint = "it is truncated"
   if (status /= 0) return
   if (sound(record, n_bytes)) then
      if (used + n_bytes > total_bytes) return
      allocate(record%bytes(n_bytes))
      read(unit, iostat=status) record%bytes, crc
      if (status /= 0) return
      used = used + n_bytes
      if (crc == checksum(record)) complaint = ""
   end if
   if (len(complaint) > 0) complaint = "it is damaged"
end subroutine read_record


!> Kind, rank, shape and size agree with each other
pure function sound(record, n_bytes)
   type(record_type), intent(in) :: record
   integer(i8), intent(in) :: n_bytes
   logical :: sound

   sound = .false.
   if (record%kind < 1 .or. record%kind > size(kind_bytes)) return
   if (record%rank < 0 .or. record%rank > 2) return
   if (any(record%shape < 0) .or. any(record%shape > huge(0_i4))) return
   sound = n_bytes == record%shape(1)*record%shape(2)*kind_bytes(record%kind)
end function sound


!> CRC-32 of everything that matters in a record
pure function checksum(record) result(crc)
   type(record_type), intent(in) :: record
   integer(i4) :: crc

   crc = crc32(transfer(record%name, [0_int8]))
   crc = crc32(transfer([record%kind, record%rank], [0_int8]), crc)
   crc = crc32(transfer([record%shape, size(record%bytes, kind=i8)], [0_int8]), crc)
   crc = crc32(record%bytes, crc)
end function checksum

end module fennix_checkpoint_file
